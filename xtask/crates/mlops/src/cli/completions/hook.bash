
# Completes `cargo xtask`, and leaves everything else of cargo to the completion that was there before.
_cargo_with_xtask() {
    local at=1
    [[ ${COMP_WORDS[1]} == +* ]] && at=2 # a toolchain
    if [[ ${COMP_WORDS[at]} == xtask ]] && ((COMP_CWORD > at)); then
        COMP_WORDS=(xtask "${COMP_WORDS[@]:at+1}")
        COMP_CWORD=$((COMP_CWORD - at))
        _xtask xtask "$2" "$3"
        return
    fi
    if [[ -z $_cargo_without_xtask ]]; then
        # bash-completion loads the one for cargo when it is first needed.
        if declare -F _comp_load >/dev/null; then
            _comp_load cargo
        elif declare -F _completion_loader >/dev/null; then
            _completion_loader cargo
        fi
        _cargo_take_over
    fi
    if [[ -n $_cargo_without_xtask ]]; then
        "$_cargo_without_xtask" "$@"
    elif ((COMP_CWORD == at)) && [[ xtask == "$2"* ]]; then
        COMPREPLY=(xtask)
    fi
}

_cargo_take_over() {
    local registered
    registered=$(complete -p cargo 2>/dev/null)
    if [[ $registered =~ -F\ ([^ ]+) && ${BASH_REMATCH[1]} != _cargo_with_xtask ]]; then
        _cargo_without_xtask=${BASH_REMATCH[1]}
    fi
    complete -F _cargo_with_xtask -o bashdefault -o default cargo
}
_cargo_take_over
