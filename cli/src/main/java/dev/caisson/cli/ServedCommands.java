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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The commands that the resident engine runs for front ends; words that are no command are among them. Every other
/// one, and every caller that has something of a process which the engine cannot take over, is refused, and the front
/// end starts a JVM.
///
/// Not among them: `audit`, `scan`, `seccomp`, `plan`, `info` and `selftest`, which read facts of their own process or
/// take longer than a JVM's start; `up`, which runs once a start of the host; and of `secret` what takes a value or a
/// passphrase that is new, or makes one: the memory that has seen it ends with its process.
final class ServedCommands implements Server.Commands {
    private static final Set<String> OF_CONTAINERS = Set.of(
            "run", "exec", "create", "start", "inspect", "logs", "attach", "top", "port", "cp", "diff", "commit",
            "export", "wait", "stop", "kill", "restart", "pause", "unpause", "rename", "update", "stats", "rm");
    private static final Set<String> OF_IMAGES =
            Set.of("build", "pull", "push", "save", "load", "import", "tag", "history");
    private static final Set<String> SERVED = union(
            union(OF_CONTAINERS, OF_IMAGES),
            Set.of("ps", "events", "renew", "verify", "version", "images", "rmi", "login", "logout"));
    private static final Map<String, Set<String>> SERVED_IN_GROUP = Map.of(
            "container", union(OF_CONTAINERS, Set.of("ls", "prune")),
            "image", union(OF_IMAGES, Set.of("ls", "inspect", "verify", "rm", "prune")),
            "network", Set.of("create", "ls", "inspect", "connect", "disconnect", "rm", "prune"),
            "volume", Set.of("create", "ls", "inspect", "rm", "prune"),
            "snapshot", Set.of("create", "ls", "inspect", "rm", "prune"),
            "workspace", Set.of("create", "ls", "inspect", "cp", "rm", "prune"),
            "secret", Set.of("ls", "inspect", "versions", "log", "access", "revoke", "rollback", "rm", "lock"),
            "system", Set.of("df", "events", "prune"));
    /// Those for which the launcher blocks signals.
    private static final Set<String> TAKE_SIGNALS = Set.of("run", "start", "attach", "exec");
    /// Those that read or write all that an image or a container has: each takes buffers of decoders, and lists of
    /// files.
    private static final Set<String> LARGE = Set.of(
            "build",
            "pull",
            "push",
            "save",
            "load",
            "import",
            "commit",
            "container commit",
            "image build",
            "image pull",
            "image push",
            "image save",
            "image load",
            "image import",
            "image verify");
    private static final long HEAP_OF_A_LARGE_ONE = 128 << 20;
    private static final int MOST_LARGE = 32;

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
    private final Semaphore large;

    ServedCommands(Own own, EngineOptions options, Engine engine) {
        this(own, options, engine, Runtime.getRuntime().maxMemory());
    }

    /// @param heap bytes that all commands share
    ServedCommands(Own own, EngineOptions options, Engine engine, long heap) {
        this.own = own;
        this.options = options;
        this.engine = engine;
        this.large = new Semaphore(Math.clamp(heap / HEAP_OF_A_LARGE_ONE, 1, MOST_LARGE));
    }

    private static Set<String> union(Set<String> one, Set<String> other) {
        return Stream.concat(one.stream(), other.stream()).collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public Server.Admission admit(Request request) {
        Optional<String> refusal = refusal(request);
        if (refusal.isPresent()) {
            return new Server.Admission.Refused(refusal.get());
        }
        if (!isLarge(request.arguments())) {
            return new Server.Admission.Admitted(() -> {});
        }
        return large.tryAcquire()
                ? new Server.Admission.Admitted(large::release)
                : new Server.Admission.Refused("its memory is taken by other commands of its size");
    }

    private static boolean isLarge(List<String> words) {
        if (words.isEmpty()) {
            return false;
        }
        boolean isGrouped = words.size() > 1 && SERVED_IN_GROUP.containsKey(words.getFirst());
        return LARGE.contains(isGrouped ? words.getFirst() + " " + words.get(1) : words.getFirst());
    }

    private Optional<String> refusal(Request request) {
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
        if (isRelative(request, "HOME") || isRelative(request, "DOCKER_CONFIG")) {
            return Optional.of("HOME or DOCKER_CONFIG is a relative path");
        }
        return hasDirectoriesOfTheEngine(request)
                ? Optional.empty()
                : Optional.of("its directories or driver of control groups differ from the engine's");
    }

    private static boolean isServed(List<String> words) {
        if (words.isEmpty() || Main.isNoCommand(words.getFirst())) {
            return true;
        }
        Set<String> group = SERVED_IN_GROUP.get(words.getFirst());
        if (group == null) {
            return SERVED.contains(words.getFirst());
        }
        return words.size() < 2 || group.contains(words.get(1)) || !Main.hasInGroup(words.getFirst(), words.get(1));
    }

    /// Messages show such a path as it was given, and files are opened by another one.
    private static boolean isRelative(Request request, String variable) {
        String path = request.variables().getOrDefault(variable, "");
        return !path.isEmpty() && !path.startsWith("/");
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
        if (words.isEmpty()) {
            return false;
        }
        return words.getFirst().equals("container")
                ? words.size() > 1 && TAKE_SIGNALS.contains(words.get(1))
                : TAKE_SIGNALS.contains(words.getFirst()) || words.getFirst().equals("stats");
    }

    @Override
    public int run(Client client) {
        return Main.execute(
                new ServedCaller(client, engine),
                () -> client.request().arguments().toArray(String[]::new));
    }
}
