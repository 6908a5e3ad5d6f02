package dev.caisson.engine;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What a container and one of its networks do when several processes ask for changes at once: a state, and what each
/// act is answered in it.
final class NetworkModel {
    static final String OK = "ok";
    static final String UNKNOWN = "CONTAINER_UNKNOWN";

    private static final String NOT_FOUND = "NETWORK_NOT_FOUND";
    private static final String NAME_IN_USE = "NAME_IN_USE";
    private static final String DEAD = "CONTAINER_DEAD";
    private static final String START_FAILED = "START_FAILED";
    private static final Set<String> CODES = Set.of(
            UNKNOWN,
            NOT_FOUND,
            NAME_IN_USE,
            DEAD,
            START_FAILED,
            "NETWORK_EXISTS",
            "NETWORK_IN_USE",
            "NETWORK_REFUSED",
            "NOT_CONNECTED");

    enum Act {
        MAKE,
        DROP,
        CREATE,
        START,
        STOP,
        CONNECT,
        DISCONNECT,
        RENAME_AND_BACK,
        REMOVE
    }

    /// An act and what it was answered.
    record Asked(Act act, String outcome) {}

    /// @param box true if the container is there
    /// @param side true if the network is there
    /// @param joined true if the container is on it
    record World(boolean box, boolean running, boolean side, boolean joined) {
        static final World EMPTY = new World(false, false, false, false);
    }

    private NetworkModel() {}

    static boolean isExpected(String code) {
        return CODES.contains(code);
    }

    /// Returns the states that may be there when these acts, asked at once, were answered so; none if no order of them
    /// explains the answers.
    static Set<World> after(World before, List<Asked> asked) {
        var found = new HashSet<World>();
        search(before, asked, asked, found);
        return found;
    }

    private static void search(World world, List<Asked> left, List<Asked> round, Set<World> found) {
        if (left.isEmpty()) {
            found.add(world);
        }
        for (Asked one : left) {
            var rest = new ArrayList<>(left);
            rest.remove(one);
            next(one, world, round).forEach(after -> search(after, rest, round, found));
        }
    }

    /// Returns what an act may leave behind with its answer; nothing if it cannot be answered so.
    private static List<World> next(Asked one, World now, List<Asked> round) {
        var after = new ArrayList<World>();
        if (one.outcome().equals(answer(one.act(), now))) {
            after.add(one.outcome().equals(OK) ? changed(one.act(), now) : now);
        }
        if (isHindered(one, round)) {
            after.add(now);
        }
        return after;
    }

    /// True if it met another act that was half done: a container that is being made, removed or renamed.
    private static boolean isHindered(Asked one, List<Asked> round) {
        return switch (one.outcome()) {
            case UNKNOWN -> asks(round, Act.RENAME_AND_BACK) || asks(round, Act.REMOVE);
            case DEAD -> asks(round, Act.REMOVE) || asks(round, Act.CREATE);
            case START_FAILED -> asks(round, Act.REMOVE) || asks(round, Act.STOP);
            case NAME_IN_USE ->
                round.stream().filter(other -> other.act() == Act.CREATE).count() > 1 || asks(round, Act.REMOVE);
            case OK -> one.act() == Act.START && (asks(round, Act.REMOVE) || asks(round, Act.STOP));
            default -> false;
        };
    }

    private static boolean asks(List<Asked> round, Act act) {
        return round.stream().anyMatch(one -> one.act() == act);
    }

    private static String answer(Act act, World now) {
        return switch (act) {
            case MAKE -> now.side() ? "NETWORK_EXISTS" : OK;
            case DROP -> !now.side() ? NOT_FOUND : now.joined() ? "NETWORK_IN_USE" : OK;
            case CREATE -> now.box() ? NAME_IN_USE : now.side() ? OK : NOT_FOUND;
            case START, STOP, RENAME_AND_BACK, REMOVE -> now.box() ? OK : UNKNOWN;
            case CONNECT -> !now.box() ? UNKNOWN : !now.side() ? NOT_FOUND : now.joined() ? "NETWORK_REFUSED" : OK;
            case DISCONNECT -> !now.box() ? UNKNOWN : !now.side() ? NOT_FOUND : now.joined() ? OK : "NOT_CONNECTED";
        };
    }

    private static World changed(Act act, World now) {
        return switch (act) {
            case MAKE -> new World(now.box(), now.running(), true, false);
            case DROP -> new World(now.box(), now.running(), false, false);
            case CREATE -> new World(true, false, now.side(), true);
            case START -> new World(true, true, now.side(), now.joined());
            case STOP -> new World(true, false, now.side(), now.joined());
            case CONNECT -> new World(true, now.running(), true, true);
            case DISCONNECT -> new World(true, now.running(), true, false);
            case RENAME_AND_BACK -> now;
            case REMOVE -> new World(false, false, now.side(), false);
        };
    }
}
