#!/bin/sh
# Stays with one job: claims it, runs its command, records how it ended. POSIX sh, so that no interpreter of
# several megabytes lives as long as every job does. Nothing here depends on whoever started it being alive.
#
#   supervise.sh RECORD CWD ODD COMMAND [ARGUMENT...]
#
# RECORD  the job's record. It is created with O_EXCL: who creates it runs the job, everybody else goes away.
# CWD     folder to run in, or empty for the present one.
# ODD     how many variables BESPEAK_ODD_1.. hold a NAME=VALUE whose NAME no shell would pass on.
#
# Descriptors: 1 the job's output; 2 and 5 the two ends of a pipe in which the shell's own words about the job's end
# ("Killed") are found again; 3 the lock that says "this supervisor lives"; 4 the job's error output; 6 and 7 the two
# ends of the pipe on which the starter waits (both are held, so that a dead starter is no broken pipe).
#
# The names of its variables begin with bspk_, because a variable that the caller exported would reach the command with
# what is assigned here. The braces make the shell read all of it before it runs any, so replacing this file harms no
# running job.
{
    set -C -f
    bspk_record=$1 bspk_cwd=$2 bspk_odd=$3
    shift 3
    # Caught, not ignored: a caught signal has its default effect again in the command.
    trap : HUP INT QUIT ALRM TERM USR1 USR2

    die_at() { [ "${BESPEAK_CRASH_AT-}" != "$1" ] || kill -9 "$2"; }

    # Who this very process is: its pid, its parent, and the clock tick in which it began (fields 1, 4 and 22).
    identify() {
        read -r bspk_line </proc/self/stat
        set -- $bspk_line
        bspk_me=$1 bspk_parent=$4 bspk_tick=${22}
    }

    identify
    bspk_born=$bspk_tick
    die_at supervisor.begun $$
    (
        die_at supervisor.before_claim $$
        # Without its supervisor nobody would see it end; the next start does better.
        identify
        [ "$bspk_parent" = $$ ] || exit 0
        die_at supervisor.checked $$
        umask >&2
        read -r bspk_mask <&5
        umask 077
        { printf 'target %s %s %s %s\n' "$bspk_me" "$bspk_tick" $$ "$bspk_born" >"$bspk_record"; } 2>/dev/null || exit 0
        umask "$bspk_mask"
        die_at supervisor.claimed $$
        echo begun >&6
        die_at target.before_exec "$bspk_me"
        if [ -n "$bspk_cwd" ]; then cd "$bspk_cwd" 2>&4 || exit 126; fi
        if [ "$bspk_odd" != 0 ]; then
            set -- env "$@"
            while [ "$bspk_odd" != 0 ]; do
                eval "bspk_pair=\$BESPEAK_ODD_$bspk_odd"
                unset "BESPEAK_ODD_$bspk_odd"
                shift
                set -- env "$bspk_pair" "$@"
                bspk_odd=$((bspk_odd - 1))
            done
        fi
        exec "$@" 2>&4 3<&- 4>&- 5<&- 6>&- 7<&-
    )
    bspk_code=$?
    die_at supervisor.ended $$

    # Another supervisor may have won the claim; then its record is not this one's to end.
    bspk_line=
    read -r bspk_line <"$bspk_record"
    case $bspk_line in
    "target "*" $$ $bspk_born") ;;
    *) exit 0 ;;
    esac
    echo . >&2
    bspk_signalled=
    while read -r bspk_line <&5 && [ "$bspk_line" != . ]; do bspk_signalled=1; done
    if [ -n "$bspk_signalled" ] && [ "$bspk_code" -gt 128 ]; then bspk_code=-$((bspk_code - 128)); fi
    printf 'exit %s\n' "$bspk_code" >>"$bspk_record"
    die_at supervisor.recorded $$
    # The last act is to become the program that puts the record on the disk; where it is missing, nothing is lost
    # but the guarantee against power loss in the next seconds.
    exec sync "$bspk_record"
    exit
}
