# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_splynx_bitpay_global_optspecs
    string join \n config= h/help V/version
end

function __fish_splynx_bitpay_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_splynx_bitpay_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_splynx_bitpay_using_subcommand
    set -l cmd (__fish_splynx_bitpay_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -s V -l version -d 'Print version'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "serve" -d 'Serve the pages and record payments until told to stop'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "pair" -d 'Pair with the processor by a pairing code, or by a token made without "Require Authentication"'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "unpair" -d 'Stop using the paired account for new payments; open ones are still watched'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "pairing" -d 'Show the paired account'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "doctor" -d 'Check everything the add-on needs, and say what to do'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "migrate" -d 'Bring the database to this version, or back for an older one'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "move-database" -d 'Move everything to another database: from SQLite to PostgreSQL, to another PostgreSQL, or back. Stop the service first; nothing is taken away from the old one'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "backup" -d 'Copy the database into a file, beside a running service, and remove old copies'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "attempts" -d 'Look at payments, and settle what waits for a person'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "audit" -d 'Read the audit journal, or prove that nobody has changed it'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "reconcile" -d 'Compare processor, add-on and Splynx. Names what differs, changes nothing'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "config" -d 'Check, print, explain or change the configuration'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "install-splynx" -d 'Wire the add-on into the Splynx of this host: API key, permissions, module, entry points, nginx. Can be repeated'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand serve" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand serve" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand pair" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand pair" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand unpair" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand unpair" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand pairing" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand pairing" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand doctor" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand doctor" -l json -d 'As JSON'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand doctor" -l test-alert -d 'Send a test message to everybody who is told of what a person must look at'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand migrate" -l back-to -d 'Take back every migration after this one, before an older version is installed. Stop the service first' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand migrate" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand migrate" -l latest -d 'Change nothing; print the number of the last migration this version knows'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand migrate" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand move-database" -l to -d 'The address of the new, empty database: `postgres://…`, or `sqlite:///` and a full path. One with a password comes as `file:/path` or `env:NAME`, or from standard input with `-`' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand move-database" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand move-database" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand backup" -l to -d 'The folder to put it in, which must be there; by default `backups` beside the database, which is made' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand backup" -l keep-days -d 'Older backups than this are removed from the folder, once the new one is there' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand backup" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand backup" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and not __fish_seen_subcommand_from list show retry settle help" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and not __fish_seen_subcommand_from list show retry settle help" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and not __fish_seen_subcommand_from list show retry settle help" -f -a "list" -d 'List payments, newest first'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and not __fish_seen_subcommand_from list show retry settle help" -f -a "show" -d 'Show one payment with its credits, postings and reviews, and everything that happened'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and not __fish_seen_subcommand_from list show retry settle help" -f -a "retry" -d 'Let the worker look at it now'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and not __fish_seen_subcommand_from list show retry settle help" -f -a "settle" -d 'Decide about a payment that waits for a person'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and not __fish_seen_subcommand_from list show retry settle help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from list" -l state -d 'Only those in this state, such as settled or expired' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from list" -l customer -d 'Only those of the customer with this id' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from list" -l day -d 'Only those begun on this day (YYYY-MM-DD, UTC)' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from list" -l limit -d 'At most so many' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from list" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from list" -l review -d 'Only those a person must look at'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from list" -l json -d 'As JSON'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from show" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from retry" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from retry" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from settle" -l to -d 'Where the money shall go' -r -f -a "document\t'To the document'
balance\t'To the customer\'s balance'
dismiss\t'Nowhere: close the review and move nothing'"
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from settle" -l amount -d 'How much the processor holds, where nothing is credited yet' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from settle" -l review -d 'Which review; by default all that the decision answers' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from settle" -l note -d 'Why: kept with the name of your account' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from settle" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from settle" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from help" -f -a "list" -d 'List payments, newest first'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one payment with its credits, postings and reviews, and everything that happened'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from help" -f -a "retry" -d 'Let the worker look at it now'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from help" -f -a "settle" -d 'Decide about a payment that waits for a person'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand attempts; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and not __fish_seen_subcommand_from verify show help" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and not __fish_seen_subcommand_from verify show help" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and not __fish_seen_subcommand_from verify show help" -f -a "verify" -d 'Prove that no row was changed, moved, added or taken out, and print the head to be kept elsewhere'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and not __fish_seen_subcommand_from verify show help" -f -a "show" -d 'List what happened, oldest first'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and not __fish_seen_subcommand_from verify show help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from verify" -l head -d 'A head printed earlier, or found in the log: it must still be in the journal' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from verify" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from show" -l attempt -d 'Only what concerns this payment' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from show" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Prove that no row was changed, moved, added or taken out, and print the head to be kept elsewhere'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "show" -d 'List what happened, oldest first'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand reconcile" -l since -d 'Compare payments begun on this day or later (YYYY-MM-DD); by default all that are watched' -r
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand reconcile" -l format -d 'How to print it' -r -f -a "text\t'For people'
json\t'For machines; the keys are stable'
csv\t'For spreadsheets; no cell is a formula'"
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand reconcile" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand reconcile" -l history -d 'Compare nothing; list what every day\'s last comparison came to, newest first'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand reconcile" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and not __fish_seen_subcommand_from check default show get set help" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and not __fish_seen_subcommand_from check default show get set help" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and not __fish_seen_subcommand_from check default show get set help" -f -a "check" -d 'Say everything that is wrong with the configuration, with line and key'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and not __fish_seen_subcommand_from check default show get set help" -f -a "default" -d 'Print a configuration file with every key, its meaning and its default'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and not __fish_seen_subcommand_from check default show get set help" -f -a "show" -d 'Print what is in force and where each value comes from, without secrets'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and not __fish_seen_subcommand_from check default show get set help" -f -a "get" -d 'Print one key of the file, or its default. Secrets are not printed'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and not __fish_seen_subcommand_from check default show get set help" -f -a "set" -d 'Change one key of the file; comments, order and everything else stay. A bad value changes nothing'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and not __fish_seen_subcommand_from check default show get set help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from default" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from default" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from get" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from set" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Say everything that is wrong with the configuration, with line and key'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "default" -d 'Print a configuration file with every key, its meaning and its default'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "show" -d 'Print what is in force and where each value comes from, without secrets'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "get" -d 'Print one key of the file, or its default. Secrets are not printed'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "set" -d 'Change one key of the file; comments, order and everything else stay. A bad value changes nothing'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand install-splynx" -l splynx-dir -d 'Where Splynx is' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand install-splynx" -l nginx-dir -d 'Where nginx is configured' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand install-splynx" -l export -d 'For a Splynx on another host: write everything that belongs there into this folder, and do nothing else' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand install-splynx" -l config -d 'The configuration file' -r -F
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand install-splynx" -l dry-run -d 'Only say what would be done'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand install-splynx" -s h -l help -d 'Print help'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "serve" -d 'Serve the pages and record payments until told to stop'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "pair" -d 'Pair with the processor by a pairing code, or by a token made without "Require Authentication"'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "unpair" -d 'Stop using the paired account for new payments; open ones are still watched'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "pairing" -d 'Show the paired account'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "doctor" -d 'Check everything the add-on needs, and say what to do'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "migrate" -d 'Bring the database to this version, or back for an older one'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "move-database" -d 'Move everything to another database: from SQLite to PostgreSQL, to another PostgreSQL, or back. Stop the service first; nothing is taken away from the old one'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "backup" -d 'Copy the database into a file, beside a running service, and remove old copies'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "attempts" -d 'Look at payments, and settle what waits for a person'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "audit" -d 'Read the audit journal, or prove that nobody has changed it'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "reconcile" -d 'Compare processor, add-on and Splynx. Names what differs, changes nothing'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "config" -d 'Check, print, explain or change the configuration'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "install-splynx" -d 'Wire the add-on into the Splynx of this host: API key, permissions, module, entry points, nginx. Can be repeated'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and not __fish_seen_subcommand_from serve pair unpair pairing doctor migrate move-database backup attempts audit reconcile config install-splynx help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from attempts" -f -a "list" -d 'List payments, newest first'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from attempts" -f -a "show" -d 'Show one payment with its credits, postings and reviews, and everything that happened'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from attempts" -f -a "retry" -d 'Let the worker look at it now'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from attempts" -f -a "settle" -d 'Decide about a payment that waits for a person'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from audit" -f -a "verify" -d 'Prove that no row was changed, moved, added or taken out, and print the head to be kept elsewhere'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from audit" -f -a "show" -d 'List what happened, oldest first'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Say everything that is wrong with the configuration, with line and key'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "default" -d 'Print a configuration file with every key, its meaning and its default'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Print what is in force and where each value comes from, without secrets'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "get" -d 'Print one key of the file, or its default. Secrets are not printed'
complete -c splynx-bitpay -n "__fish_splynx_bitpay_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "set" -d 'Change one key of the file; comments, order and everything else stay. A bad value changes nothing'
