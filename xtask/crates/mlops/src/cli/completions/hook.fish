
# Completes `cargo xtask`; fish's own file completes everything else of cargo.
function __cargo_xtask_words
    set -l words (commandline -opc)[2..-1]
    string match -q -- '+*' $words[1]; and set -e words[1]
    test "$words[1]" = xtask; or return 1
    printf '%s\n' $words
end
function __cargo_xtask_complete
    set -l words (__cargo_xtask_words)
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end
complete -c cargo -n '__cargo_xtask_words >/dev/null' -f -a '(__cargo_xtask_complete)'
complete -c cargo -n __fish_use_subcommand -f -a xtask -d 'Commands of this project'
