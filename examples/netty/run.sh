#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh CLASS FOLDER [OPTION...]: compiles CLASS.java, EchoServer or EchoClient, into FOLDER and becomes
# it; it is given the options. JDK_JAVA_OPTIONS takes options of the JVM. Needs openjdk-17-jdk-headless,
# libnetty-java, libnetty-tcnative-java and libnetty-tcnative-jni.
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
class=${1:?EchoServer or EchoClient}
folder=${2:?the folder to compile into}
shift 2

# netty-all.jar is empty in Debian.
jars=/usr/share/java
path=$jars/jctools-core.jar
for part in buffer codec common handler resolver tcnative transport; do
    path=$path:$jars/netty-$part.jar
done

# netty loads libnetty_tcnative.so, which Debian calls libnetty-tcnative.so; a link isn't enough, as
# it looks at the name of the file that was loaded.
mkdir -p "$folder"
cp /usr/lib/*/jni/libnetty-tcnative.so "$folder/libnetty_tcnative.so"
javac -proc:none -cp "$path" -d "$folder" "$here/$class.java"

# Call stacks go on through compiled Java code when it keeps frame pointers; interpreted methods have no
# names, so methods are compiled after a few calls.
exec java -XX:+PreserveFramePointer -XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=0.05 \
    -Djava.library.path="$folder" -cp "$folder:$path" "$class" "$@"
