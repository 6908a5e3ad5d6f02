package dev.caisson.cli;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Docker's commands that Caisson does not have: refused by name, with what to use instead.
final class LaterCommands {
    private static final String REGISTRY =
            "images are fetched and sent by name, with 'caisson pull' and 'caisson push'; signatures are not looked at";
    private static final String BUILD =
            "build with 'caisson build'; results of steps are images of the store, which 'caisson image prune -a' removes";
    private static final String SWARM = "containers are run on one host; 'caisson audit' judges a swarm";
    private static final Map<String, String> INSTEAD = new HashMap<>();

    static {
        put(REGISTRY, "search", "trust", "manifest");
        put(BUILD, "builder", "buildx");
        put("containers are started by hand or by a service; 'caisson audit' judges a compose file", "compose");
        put(SWARM, "swarm", "node", "service", "stack", "config");
        put("there is no daemon that could be elsewhere: use ssh", "context");
        put("there are no plugins", "plugin");
        put("it needs a container's memory to be read as a whole, which is not part of this version", "checkpoint");
    }

    private LaterCommands() {}

    private static void put(String instead, String... commands) {
        for (String command : commands) {
            INSTEAD.put(command, instead);
        }
    }

    /// Returns what to use instead of a command of Docker's; empty if it has none of that name.
    static Optional<String> instead(String command) {
        return Optional.ofNullable(INSTEAD.get(command));
    }
}
