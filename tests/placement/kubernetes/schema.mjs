// SPDX-License-Identifier: Apache-2.0
// Reads Kubernetes objects, a JSON array, from stdin and prints what their schemas object to, a JSON array of
// sentences. kubernetes-models has the schemas of Kubernetes' OpenAPI document, compiled to functions. They pass over
// fields that they don't know, as Kubernetes does unless asked to be strict. Here what no schema has looked at is
// unknown: they look at a field by its name.
import { readFileSync } from "node:fs";

// "batch/v1" "Job" -> IoK8sApiBatchV1Job; v1 is the group core.
function schemaOf(object) {
  const [version, group = "core"] = object.apiVersion.split("/").reverse();
  const name = [group.split(".")[0], version, object.kind].map(word => word[0].toUpperCase() + word.slice(1)).join("");
  return import(`kubernetes-models/_schemas/IoK8sApi${name}`);
}

// The value, whose fields are in `unread` until somebody reads them.
function watched(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const fields = {};
  for (const [key, inner] of Object.entries(value)) {
    unread.add(`${path}/${key}`);
    fields[key] = watched(inner, `${path}/${key}`, unread);
  }
  return new Proxy(Array.isArray(value) ? Object.values(fields) : fields, {
    get(target, key) {
      unread.delete(`${path}/${String(key)}`);
      return target[key];
    },
  });
}

async function objections(object) {
  const name = `${object.kind} ${object.metadata?.name}`;
  const unread = new Set();
  const { validate } = await schemaOf(object);
  const wrong = validate(watched(object, "", unread)) ? [] : validate.errors;
  // Within an unknown field all are.
  const unknown = [...unread].filter(path => !unread.has(path.slice(0, path.lastIndexOf("/"))));
  return [
    ...wrong.map(one => `${name}: ${one.instancePath}: ${one.keyword} ${JSON.stringify(one.params)}`),
    ...unknown.map(path => `${name}: ${path}: unknown field`),
  ];
}

const objects = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify((await Promise.all(objects.map(objections))).flat()));
