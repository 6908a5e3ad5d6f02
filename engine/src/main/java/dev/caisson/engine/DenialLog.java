package dev.caisson.engine;

import dev.caisson.linux.SeccompListener;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.CallText;
import dev.caisson.seccomp.Condition;
import dev.caisson.seccomp.Explanation;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.Rule;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Answers the calls that one container's filter asks about, in the reactor's thread, with what the profile says, and
/// notes each kind of call once. If the engine dies, the kernel answers ENOSYS in its place.
final class DenialLog implements AutoCloseable {
    /// More kinds of calls than this are counted, not told.
    private static final int MOST_KINDS = 64;

    private static final int MOST_MAPS = 4 << 20;
    private static final long PATIENCE_NANOS = 10_000_000_000L;
    private static final long PAUSE_NANOS = 200_000;

    /// What makes two denied calls the same kind: number, ABI and the arguments that the profile's rules look at.
    private record Kind(int number, int architecture, List<Long> arguments) {}

    private static final class Noted {
        private final Denial first;
        private long count = 1;

        private Noted(Denial first) {
            this.first = first;
        }
    }

    private final Filter filter;
    private final Supplier<Profile> profiles;
    private final Target target;
    private final boolean complain;
    private final Map<Kind, Noted> noted = new LinkedHashMap<>();
    private @Nullable Profile profile;
    private long untold;
    private @Nullable SeccompListener listener;
    private long key;
    private @Nullable Reactor reactor;

    /// @param filter that answers itself, where the container's asks
    /// @param complain whether denied calls pass after all
    DenialLog(Filter filter, Supplier<Profile> profiles, Target target, boolean complain) {
        this.filter = filter;
        this.profiles = profiles;
        this.target = target;
        this.complain = complain;
    }

    /// Takes the listener from the program, whose execveat waits for it.
    /// @param initStays whether the program is a child of process 1
    /// @throws EngineException where there is none after a long while
    void begin(int pid, boolean initStays, BooleanSupplier ended, Reactor with) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!ended.getAsBoolean()) {
            Optional<SeccompListener> found = program(pid, initStays).flatMap(SeccompListener::of);
            if (found.isPresent()) {
                watch(found.get(), with);
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new EngineException(
                        "NO_LISTENER",
                        "the program did not come to its filter within ten seconds: the host is overloaded");
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private static Optional<Integer> program(int pid, boolean initStays) {
        if (!initStays) {
            return Optional.of(pid);
        }
        try {
            String children = Files.readString(Path.of("/proc/" + pid + "/task/" + pid + "/children"))
                    .strip();
            int end = children.indexOf(' ');
            return children.isEmpty()
                    ? Optional.empty()
                    : Optional.of(Integer.parseInt(end < 0 ? children : children.substring(0, end)));
        } catch (IOException e) {
            return Optional.empty(); // it has ended, which its pidfd tells
        }
    }

    private synchronized void watch(SeccompListener taken, Reactor with) {
        listener = taken;
        reactor = with;
        key = with.watch(taken.fd(), this::ready);
    }

    /// One call at a time, so that no container keeps the reactor from the others.
    private synchronized void ready() {
        SeccompListener asked = listener;
        if (asked == null) {
            return;
        }
        switch (asked.state()) {
            case WAITING -> asked.receive().ifPresent(call -> answer(asked, call));
            case ENDED -> forget(asked);
            case NOTHING -> {}
        }
    }

    private void answer(SeccompListener asked, SeccompListener.Call call) {
        List<Long> registers = call.arguments();
        var data = new SeccompData(
                call.number(),
                call.architecture(),
                call.instructionPointer(),
                registers.get(0),
                registers.get(1),
                registers.get(2),
                registers.get(3),
                registers.get(4),
                registers.get(5));
        Action action = filter.decide(data);
        if (action.kind() == Action.Kind.ALLOW || action.kind() == Action.Kind.LOG) {
            asked.letPass(call);
            return;
        }
        try {
            note(asked, call, data, action);
        } finally {
            if (complain) {
                asked.letPass(call);
            } else {
                asked.refuse(call, action.kind() == Action.Kind.ERRNO ? action.data() : EPERM);
            }
        }
    }

    private static final int EPERM = 1;

    private void note(SeccompListener asked, SeccompListener.Call call, SeccompData data, Action action) {
        Profile rules = profile == null ? profiles.get() : profile;
        profile = rules;
        var kind = new Kind(data.number(), data.arch(), looked(rules, data));
        Noted known = noted.get(kind);
        if (known != null) {
            known.count++;
        } else if (noted.size() == MOST_KINDS) {
            untold++;
        } else {
            noted.put(kind, new Noted(denial(asked, call, data, action, rules)));
        }
    }

    /// The arguments that some rule for the call has a condition on.
    private static List<Long> looked(Profile rules, SeccompData data) {
        String name = CallText.name(data);
        Set<Integer> indexes = new TreeSet<>();
        for (Rule rule : rules.rules()) {
            if (!rule.conditions().isEmpty() && rule.names().contains(name)) {
                rule.conditions().stream().map(Condition::index).forEach(indexes::add);
            }
        }
        return indexes.stream().map(data::argument).toList();
    }

    private Denial denial(
            SeccompListener asked, SeccompListener.Call call, SeccompData data, Action action, Profile rules) {
        Path process = Path.of("/proc/" + call.pid());
        String name = text(process.resolve("comm")).strip();
        String executable = link(process.resolve("exe"));
        String location = location(process.resolve("maps"), call.instructionPointer());
        boolean still = asked.isWaiting(call);
        Explanation explanation = Explanation.of(rules, target, data);
        return new Denial(
                explanation.call(),
                complain ? Action.ALLOW.toString() : action.toString(),
                still ? name : "",
                still ? executable : "",
                still ? location : "",
                explanation.reasons(),
                1);
    }

    private static String text(Path file) {
        try (var in = Files.newInputStream(file)) {
            return new String(in.readNBytes(MOST_MAPS), java.nio.charset.StandardCharsets.UTF_8);
        } catch (IOException e) {
            return ""; // the process has ended
        }
    }

    private static String link(Path file) {
        try {
            return Files.readSymbolicLink(file).toString();
        } catch (IOException e) {
            return ""; // the process has ended
        }
    }

    /// The mapping that holds an address, proc_pid_maps(5), as its file and the offset in it.
    private static String location(Path maps, long address) {
        for (String line : text(maps).split("\n", -1)) {
            String[] fields = line.split(" +", 6);
            String[] range = fields[0].split("-", 2);
            if (fields.length < 5 || range.length < 2) {
                continue;
            }
            long start = Long.parseUnsignedLong(range[0], 16);
            long end = Long.parseUnsignedLong(range[1], 16);
            if (Long.compareUnsigned(address, start) >= 0 && Long.compareUnsigned(address, end) < 0) {
                String file = fields.length == 6 ? fields[5] : "anonymous memory";
                return file + "+0x" + Long.toHexString(address - start + Long.parseUnsignedLong(fields[2], 16));
            }
        }
        return "";
    }

    /// What has been denied until now, in the order of the first time.
    synchronized List<Denial> denials() {
        var denials = new ArrayList<Denial>();
        for (Noted kind : noted.values()) {
            Denial first = kind.first;
            denials.add(new Denial(
                    first.call(),
                    first.answer(),
                    first.process(),
                    first.executable(),
                    first.location(),
                    first.reasons(),
                    kind.count));
        }
        if (untold > 0) {
            denials.add(new Denial("other calls", "", "", "", "", List.of(), untold));
        }
        return denials;
    }

    private void forget(SeccompListener asked) {
        Reactor watching = reactor;
        if (watching != null) {
            watching.forget(key, asked.fd());
        }
        listener = null;
        asked.close();
    }

    @Override
    public synchronized void close() {
        SeccompListener asked = listener;
        if (asked != null) {
            forget(asked);
        }
    }
}
