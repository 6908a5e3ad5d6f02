package dev.caisson.cli;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.ServedCaller;
import dev.caisson.cli.front.Client;
import dev.caisson.cli.front.Request;
import dev.caisson.cli.front.Server;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.error.CaissonException;
import dev.caisson.linux.FileSystem;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// The commands that the resident engine runs for front ends. Every other one, and every caller that has something of a
/// process which the engine cannot take over, is refused, and the front end starts a JVM.
///
/// `audit`, `seccomp`, `selftest` and `plan` are not among them: they read facts of their own process or take longer
/// than a JVM's start.
final class ServedCommands implements Server.Commands {
    private static final Set<String> OF_CONTAINERS = Set.of(
            "run", "exec", "create", "start", "inspect", "logs", "attach", "top", "wait", "stop", "kill", "restart",
            "pause", "unpause", "rename", "update", "stats", "rm");
    private static final Set<String> SERVED =
            union(OF_CONTAINERS, Set.of("ps", "events", "renew", "verify", "version"));
    private static final Set<String> SERVED_IN_GROUP = union(OF_CONTAINERS, Set.of("ls", "prune"));
    /// Those for which the launcher blocks signals.
    private static final Set<String> TAKE_SIGNALS = Set.of("run", "start", "attach", "exec");

    /// Files that are others for each process: the caller's own cannot be reached by these names.
    private static final Pattern OF_THE_PROCESS =
            Pattern.compile("(^|[=:,@]|^-[A-Za-z])/+(dev/+(fd|std(in|out|err))|proc/+(self|thread-self))(/|,|:|$).*");

    private static final long PROC = 0x9fa0;

    /// The engine's own process, to which a caller's is compared.
    ///
    /// @param build the name of this build
    /// @param place what a front end writes that is started as this process was
    /// @param zone the variable TZ
    record Own(String build, String place, String zone) {}

    private final Own own;
    private final EngineOptions options;
    private final Engine engine;

    ServedCommands(Own own, EngineOptions options, Engine engine) {
        this.own = own;
        this.options = options;
        this.engine = engine;
    }

    private static Set<String> union(Set<String> one, Set<String> other) {
        var all = new HashSet<>(one);
        all.addAll(other);
        return Set.copyOf(all);
    }

    @Override
    public Optional<String> refusal(Request request) {
        if (!request.build().equals(own.build())) {
            return Optional.of("it is of another build: restart it");
        }
        if (!isServed(request.arguments())) {
            return Optional.of("this command runs in a process of its own");
        }
        if (!request.place().equals(own.place())) {
            return Optional.of("this process differs from the engine's in " + difference(request.place()));
        }
        if (!request.variables().getOrDefault("TZ", "").equals(own.zone())) {
            return Optional.of("the time zone TZ differs from the engine's");
        }
        if (request.arguments().stream()
                        .anyMatch(word -> OF_THE_PROCESS.matcher(word).find())
                || FileSystem.type(request.directory()) == PROC) {
            return Optional.of("it names a file of this process");
        }
        return hasDirectoriesOfTheEngine(request)
                ? Optional.empty()
                : Optional.of("its directories or driver of control groups differ from the engine's");
    }

    private static boolean isServed(List<String> words) {
        if (words.isEmpty()) {
            return false;
        }
        return words.getFirst().equals("container")
                ? words.size() > 1 && SERVED_IN_GROUP.contains(words.get(1))
                : SERVED.contains(words.getFirst());
    }

    /// Returns the first word of the first line that differs.
    private String difference(String other) {
        List<String> ours = own.place().lines().toList();
        List<String> theirs = other.lines().toList();
        for (int at = 0; at < Math.min(ours.size(), theirs.size()); at++) {
            if (!ours.get(at).equals(theirs.get(at))) {
                return ours.get(at).split("[:\\s]", 2)[0];
            }
        }
        return "the kernel's answers";
    }

    private boolean hasDirectoriesOfTheEngine(Request request) {
        try {
            return options.equals(Caller.directories(
                    name -> Optional.ofNullable(request.variables().get(name))));
        } catch (CaissonException e) {
            return false; // told by the process of its own
        }
    }

    @Override
    public boolean takesSignals(Request request) {
        List<String> words = request.arguments();
        return words.getFirst().equals("container")
                ? TAKE_SIGNALS.contains(words.get(1))
                : TAKE_SIGNALS.contains(words.getFirst()) || words.getFirst().equals("stats");
    }

    @Override
    public int run(Client client) {
        return Main.execute(
                new ServedCaller(client, engine),
                () -> client.request().arguments().toArray(String[]::new));
    }
}
