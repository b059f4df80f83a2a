
# Completes `cargo xtask`, and leaves everything else of cargo to the completion that was there before.
_cargo-with-xtask() {
    local at=2
    [[ $words[2] == +* ]] && at=3 # a toolchain
    if [[ $words[at] == xtask ]] && (( CURRENT > at )); then
        shift $(( at - 1 )) words
        (( CURRENT -= at - 1 ))
        _xtask
    elif [[ -n $_cargo_without_xtask ]]; then
        $_cargo_without_xtask "$@"
    elif (( CURRENT == at )); then
        compadd xtask
    else
        _default
    fi
}
[[ $_comps[cargo] == _cargo-with-xtask ]] || typeset -g _cargo_without_xtask=$_comps[cargo]
compdef _cargo-with-xtask cargo
