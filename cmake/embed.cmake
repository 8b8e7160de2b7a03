# SPDX-License-Identifier: Apache-2.0
# cmake -DOUT=FILE.c -DNAME=FILE... -P embed.cmake: writes each file as the C string NAME, and the
# SHA-256 of it in base64, as a Content-Security-Policy has it, as NAME_hash.
set(text "/* Made by cmake/embed.cmake. */\n")
foreach(name html_style html_script html_live_script)
    file(READ ${${name}} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1',\n" bytes "${hex}")
    # coreutils alone: nothing more is needed for a build.
    execute_process(
        COMMAND sh -c "sha256sum \"$1\" | cut -c1-64 | tr a-f A-F | basenc -i --base16 -d | base64"
            sh ${${name}}
        OUTPUT_VARIABLE hash OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
    if(failed OR NOT hash MATCHES "^[A-Za-z0-9+/]+=$")
        message(FATAL_ERROR "${${name}}: no SHA-256 of it: '${hash}'")
    endif()
    string(APPEND text "extern const char ${name}[], ${name}_hash[];\n"
        "const char ${name}[] = {${bytes}'\\0'};\n"
        "const char ${name}_hash[] = \"${hash}\";\n")
endforeach()
file(WRITE ${OUT} "${text}")
