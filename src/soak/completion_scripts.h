/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `soak --completion SHELL` prints. The scripts know nothing of soak but how to ask it
 * (complete.c). Of a clone's launcher they ask the program that it has built: the launcher itself
 * would build first.
 */
#ifndef SOAK_COMPLETION_SCRIPTS_H
#define SOAK_COMPLETION_SCRIPTS_H

/* bash takes `--tls=1` for three words; what is completed is the last. */
static const char completion_bash[] =
    "# bash completion for soak\n"
    "_soak()\n"
    "{\n"
    "    local program=$1 root word current=() lines=() line\n"
    "    if [[ $program == */* && -x ${program%/*}/build/bin/soak ]]; then\n"
    "        root=${program%/*}\n"
    "        program=$root/build/bin/soak\n"
    "    fi\n"
    "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD}\"; do\n"
    "        if [[ ${#current[@]} -gt 0 && ( $word == = || ${current[-1]} == --*= ) ]]; then\n"
    "            current[-1]+=$word\n"
    "        else\n"
    "            current+=(\"$word\")\n"
    "        fi\n"
    "    done\n"
    "    mapfile -t lines < <(SOAK_ROOT=${root:-$SOAK_ROOT} \"$program\" --complete "
    "\"${current[@]}\" 2>/dev/null)\n"
    "    COMPREPLY=()\n"
    "    word=${COMP_WORDS[COMP_CWORD]}\n"
    "    [[ $word == = ]] && word=\n"
    "    for line in \"${lines[@]}\"; do\n"
    "        case $line in\n"
    "        :files) compopt -o filenames 2>/dev/null\n"
    "            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
    "        :folders) compopt -o filenames 2>/dev/null\n"
    "            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
    "        *) line=${line%%$'\\t'*}\n"
    "            if [[ ${current[-1]} == --*=* ]]; then\n"
    "                line=${line#\"${current[-1]%%=*}=\"}\n"
    "            fi\n"
    "            COMPREPLY+=(\"$line\") ;;\n"
    "        esac\n"
    "    done\n"
    "}\n"
    "complete -F _soak soak ./soak\n";

static const char completion_zsh[] =
    "#compdef soak\n"
    "_soak() {\n"
    "    local program=${words[1]} root=$SOAK_ROOT line\n"
    "    local -a candidates\n"
    "    if [[ $program == */* && -x ${program:h}/build/bin/soak ]]; then\n"
    "        root=${program:h}\n"
    "        program=$root/build/bin/soak\n"
    "    fi\n"
    "    for line in ${(f)\"$(SOAK_ROOT=$root $program --complete "
    "\"${(@)words[2,CURRENT]}\" 2>/dev/null)\"}; do\n"
    "        case $line in\n"
    "        :files) _files ;;\n"
    "        :folders) _files -/ ;;\n"
    "        *) candidates+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
    "        esac\n"
    "    done\n"
    "    (( $#candidates )) && _describe -V soak candidates\n"
    "}\n"
    "if [[ $funcstack[1] == _soak ]]; then\n"
    "    _soak \"$@\"\n"
    "else\n"
    "    compdef _soak soak ./soak\n"
    "fi\n";

static const char completion_fish[] =
    "# fish completion for soak\n"
    "function __soak_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l program $words[1]\n"
    "    set -l root $SOAK_ROOT\n"
    "    if test -x (dirname -- $program)/build/bin/soak\n"
    "        set root (dirname -- $program)\n"
    "        set program $root/build/bin/soak\n"
    "    end\n"
    "    set -l current (commandline -ct)\n"
    "    for line in (env SOAK_ROOT=$root $program --complete $words[2..-1] \"$current\" "
    "2>/dev/null)\n"
    "        switch $line\n"
    "            case :files\n"
    "                __fish_complete_path \"$current\"\n"
    "            case :folders\n"
    "                __fish_complete_directories \"$current\" ''\n"
    "            case '*'\n"
    "                printf '%s\\n' $line\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c soak -f -a '(__soak_complete)'\n";

#endif
