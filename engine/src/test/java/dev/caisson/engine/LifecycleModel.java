package dev.caisson.engine;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What a container that outlives its command does when several ask it at once: a state, and for each act the small
/// steps of which it is made. A step is one thing that nobody sees half of.
final class LifecycleModel {
    static final String OK = "ok";
    /// How one more program ends that is killed with its container.
    static final String KILLED = "ended with 137";

    private static final String UNKNOWN = "CONTAINER_UNKNOWN";
    private static final String DEAD = "CONTAINER_DEAD";
    private static final String LEASE_OVER = "LEASE_OVER";
    /// How often a lease may run out anew within one act.
    private static final int MOST_LAPSES = 3;

    /// Where it is in its life. ENDING: it was asked to end or killed, and is not gone yet. LAPSING: so by the end
    /// of its lease, and its monitor with it. ABANDONED: its monitor has ended, and nobody has cleared what is
    /// left.
    enum Phase {
        GONE,
        CREATED,
        RUNNING,
        PAUSED,
        ENDING,
        EXITED,
        LAPSING,
        ABANDONED
    }

    enum Act {
        CREATE,
        START,
        STOP,
        KILL,
        RESTART,
        PAUSE,
        RESUME,
        EXEC,
        UPDATE,
        RESTART_ALWAYS,
        RESTART_NEVER,
        RENEW,
        END_OF_LEASE,
        RENAME,
        RENAME_AND_BACK,
        REMOVE,
        REMOVE_BY_FORCE
    }

    /// @param outcome of the act, if it ends here; else null
    private record Step(@Nullable String outcome, Phase next) {}

    /// @param away whether it has another name than the one by which it is asked for
    private record Box(Phase phase, boolean away) {}

    /// An act on its way.
    record Asked(Act act, String outcome) {}

    private static final Set<Act> ENDING_ACTS =
            EnumSet.of(Act.STOP, Act.KILL, Act.RESTART, Act.END_OF_LEASE, Act.REMOVE_BY_FORCE);

    private LifecycleModel() {}

    /// True for errors that some state explains; of others the sentence is of interest too.
    static boolean isExpected(String code) {
        return code.startsWith("CONTAINER_")
                || code.equals("NAME_IN_USE")
                || code.equals("START_FAILED")
                || code.equals(LEASE_OVER);
    }

    /// Returns the states in which the container may be when these acts, asked at once, had these outcomes; none if
    /// there is no order of their steps that explains them.
    static Set<Phase> after(Set<Phase> before, List<Asked> asked) {
        Set<Phase> found = EnumSet.noneOf(Phase.class);
        for (Phase phase : before) {
            search(new Box(phase, false), new ArrayList<>(asked), new int[asked.size()], found);
        }
        return found;
    }

    private static void search(Box box, List<Asked> asked, int[] done, Set<Phase> found) {
        if (box.phase() == Phase.ENDING) {
            search(new Box(Phase.EXITED, box.away()), asked, done, found);
        }
        if (box.phase() == Phase.LAPSING) {
            search(new Box(Phase.ABANDONED, box.away()), asked, done, found);
        }
        boolean over = true;
        for (int i = 0; i < done.length; i++) {
            if (done[i] < 0) {
                continue;
            }
            over = false;
            int at = done[i];
            Asked one = asked.get(i);
            for (Step step : steps(one.act(), at, box, isStopped(asked, i))) {
                if (step.outcome() == null || step.outcome().equals(one.outcome())) {
                    done[i] = step.outcome() == null ? at + 1 : -1;
                    boolean away = one.act() == Act.RENAME_AND_BACK ? step.outcome() == null : box.away();
                    search(new Box(step.next(), away), asked, done, found);
                    done[i] = at;
                }
            }
        }
        if (over) {
            found.add(box.phase());
        }
    }

    /// One that has another name meanwhile is unknown, unless it was looked up before.
    private static List<Step> steps(Act act, int at, Box box, boolean stopped) {
        var steps = new ArrayList<>(steps(act, at, box.phase(), stopped));
        if (box.away() && at == 0) {
            steps.add(new Step(UNKNOWN, box.phase()));
        }
        if (box.phase() == Phase.LAPSING || box.phase() == Phase.ABANDONED) {
            steps.add(new Step(DEAD, box.phase())); // its monitor ended while it was asked
        }
        return steps;
    }

    /// True if another act may end what this one starts before it stands.
    private static boolean isStopped(List<Asked> asked, int own) {
        return IntStream.range(0, asked.size())
                .anyMatch(i -> i != own && ENDING_ACTS.contains(asked.get(i).act()));
    }

    private static List<Step> steps(Act act, int at, Phase phase, boolean stopped) {
        if (act == Act.CREATE) {
            return phase == Phase.GONE ? ends(OK, Phase.CREATED) : ends("NAME_IN_USE", phase);
        }
        if (act == Act.END_OF_LEASE && at > 0) {
            return endOfLease(at, phase);
        }
        if (phase == Phase.GONE) {
            return ends(UNKNOWN, phase);
        }
        return switch (act) {
            case CREATE -> throw new AssertionError();
            case START -> start(phase, stopped);
            case STOP -> at == 0 ? asksToEnd(phase) : ends(OK, ended(phase));
            case RESTART ->
                switch (at) {
                    case 0 -> asksToEnd(phase);
                    case 1 -> List.of(new Step(null, ended(phase)));
                    default -> start(phase, stopped);
                };
            case KILL ->
                up(phase) || phase == Phase.ENDING
                        ? ends(OK, Phase.ENDING)
                        : phase == Phase.LAPSING ? ends(OK, phase) : ends("CONTAINER_NOT_RUNNING", phase);
            case PAUSE ->
                switch (phase) {
                    case RUNNING -> ends(OK, Phase.PAUSED);
                    case PAUSED -> ends("CONTAINER_PAUSED", phase);
                    case ENDING, LAPSING -> ends(OK, phase);
                    default -> ends("CONTAINER_NOT_RUNNING", phase);
                };
            case RESUME ->
                switch (phase) {
                    case PAUSED -> ends(OK, Phase.RUNNING);
                    case ENDING, LAPSING -> List.of(new Step(OK, phase), new Step("CONTAINER_NOT_PAUSED", phase));
                    default -> ends("CONTAINER_NOT_PAUSED", phase);
                };
            case EXEC ->
                switch (phase) {
                    case RUNNING -> ends(OK, phase);
                    case PAUSED -> ends("CONTAINER_PAUSED", phase);
                    case ENDING, LAPSING ->
                        List.of(new Step(OK, phase), new Step(KILLED, phase), new Step("CONTAINER_NOT_RUNNING", phase));
                    default -> ends("CONTAINER_NOT_RUNNING", phase);
                };
            // no act of these ends is the program's own, so a policy restarts nothing
            case UPDATE, RESTART_ALWAYS, RESTART_NEVER -> ends(OK, phase);
            case RENEW -> ends(phase == Phase.LAPSING ? LEASE_OVER : OK, phase);
            case END_OF_LEASE -> List.of(new Step(null, lapsed(phase)));
            case RENAME -> ends("NAME_IN_USE", phase);
            case RENAME_AND_BACK -> at == 0 ? List.of(new Step(null, phase)) : ends(OK, phase);
            case REMOVE ->
                switch (phase) {
                    case RUNNING, ENDING, LAPSING -> ends("CONTAINER_RUNNING", phase);
                    case PAUSED -> ends("CONTAINER_PAUSED", phase);
                    default -> ends(OK, Phase.GONE);
                };
            case REMOVE_BY_FORCE -> at == 0 ? asksToEnd(phase) : ends(OK, Phase.GONE);
        };
    }

    /// Another act may end it before its program runs: before it stands, or when it stands already.
    private static List<Step> start(Phase phase, boolean stopped) {
        if (phase == Phase.PAUSED) {
            return ends("CONTAINER_PAUSED", phase);
        }
        Phase next = phase == Phase.ENDING || phase == Phase.LAPSING ? phase : Phase.RUNNING;
        return stopped && !up(phase)
                ? List.of(new Step(OK, next), new Step("START_FAILED", phase), new Step(DEAD, next))
                : ends(OK, next);
    }

    /// Who lets the lease run out waits for the end of the monitor and clears what is left, if nobody has made another
    /// monitor in between; one that he meets has a lease again.
    private static List<Step> endOfLease(int at, Phase phase) {
        return switch (phase) {
            case GONE -> List.of(new Step(OK, phase), new Step(UNKNOWN, phase));
            case LAPSING -> List.of();
            case ABANDONED -> ends(OK, Phase.GONE);
            default -> at > MOST_LAPSES ? ends(OK, phase) : List.of(new Step(OK, phase), new Step(null, lapsed(phase)));
        };
    }

    private static Phase lapsed(Phase phase) {
        return up(phase) || phase == Phase.ENDING || phase == Phase.LAPSING ? Phase.LAPSING : Phase.ABANDONED;
    }

    /// One that is paused runs on for its end.
    private static List<Step> asksToEnd(Phase phase) {
        return List.of(new Step(null, up(phase) ? Phase.ENDING : phase));
    }

    private static Phase ended(Phase phase) {
        return phase == Phase.ENDING ? Phase.EXITED : phase;
    }

    private static boolean up(Phase phase) {
        return phase == Phase.RUNNING || phase == Phase.PAUSED;
    }

    private static List<Step> ends(String outcome, Phase next) {
        return List.of(new Step(outcome, next));
    }
}
