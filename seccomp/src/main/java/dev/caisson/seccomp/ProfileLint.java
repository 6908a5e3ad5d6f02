package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/// Finds what a profile says that its author may not have meant, and what a container under it will miss.
public final class ProfileLint {
    /// How bad it is.
    public enum Level {
        /// No container can start under it, or it does not do what it says.
        ERROR,
        /// It can be meant so, but seldom is.
        WARNING,
        /// A figure.
        NOTE
    }

    /// One thing that was found.
    /// @param code stable, upper case
    public record Finding(Level level, String code, String sentence) {}

    private final Profile profile;
    private final Target target;
    private final Filter filter;
    private final List<Finding> findings = new ArrayList<>();

    private ProfileLint(Profile profile, Target target) {
        this.profile = profile;
        this.target = target;
        this.filter = Compiler.compile(profile, target);
    }

    public static List<Finding> of(Profile profile, Target target) {
        var lint = new ProfileLint(profile, target);
        lint.start();
        lint.names();
        lint.conditions();
        lint.overlaps();
        lint.notifications();
        lint.risks();
        lint.figures();
        return List.copyOf(lint.findings);
    }

    /// True if init can start a program under a filter, which it does by execveat(2) after it has loaded it.
    public static boolean letsTheProgramStart(Filter filter) {
        return filter.letsTheProgramStart();
    }

    private void start() {
        if (!letsTheProgramStart(filter)) {
            add(
                    Level.ERROR,
                    "NEEDS_EXECVEAT",
                    "execveat is not allowed, and the program is started by it: add it to a rule that allows");
        }
    }

    private void names() {
        Set<String> unknown = new TreeSet<>();
        Set<String> unfilterable = new TreeSet<>();
        for (Rule rule : profile.rules()) {
            for (String name : rule.names()) {
                SyscallTable.get()
                        .byName(name)
                        .ifPresentOrElse(
                                call -> {
                                    if (!call.filterable() && rule.action().kind() != Action.Kind.ALLOW) {
                                        unfilterable.add(name);
                                    }
                                },
                                () -> unknown.add(name));
            }
        }
        unknown.forEach(name -> add(
                Level.WARNING,
                "UNKNOWN_CALL",
                name + " is no call of any ABI that the table knows: its rule has no effect; correct the spelling"));
        unfilterable.forEach(name -> add(
                Level.ERROR, "NOT_FILTERABLE", "the kernel asks no filter about " + name + ": it cannot be denied"));
    }

    private void conditions() {
        for (Rule rule : profile.rules()) {
            Set<Integer> indexes = new HashSet<>();
            for (Condition condition : rule.conditions()) {
                if (!indexes.add(condition.index())) {
                    add(
                            Level.WARNING,
                            "ARGUMENT_TWICE",
                            "a rule for " + rule.names().getFirst() + " has two conditions on argument "
                                    + condition.index()
                                    + "; here both must hold, other engines take one of them to be enough");
                }
                rule.names()
                        .forEach(name -> SyscallTable.get()
                                .byName(name)
                                .filter(call -> tooWide(condition, call))
                                .ifPresent(call -> add(
                                        Level.WARNING,
                                        "CONSTANT_TOO_WIDE",
                                        name + ": " + condition
                                                + " compares a 32-bit argument with more than 32 bits")));
            }
            if (!rule.conditions().isEmpty()) {
                rule.names().forEach(name -> SyscallTable.get().byName(name).ifPresent(call -> holding(rule, call)));
            }
        }
    }

    /// Reports conditions of a rule that hold together for no arguments of a call, or for all.
    private void holding(Rule rule, Syscall call) {
        String text = call.name() + ": "
                + String.join(
                        " and ",
                        rule.conditions().stream().map(Condition::toString).toList());
        Decisions.Decision decision = new Decisions.Decision(
                List.of(new Decisions.Branch(rule.conditions(), Action.ALLOW)), Action.KILL_PROCESS);
        try {
            List<ArgumentRegions.Region> regions =
                    ArgumentRegions.of(decision, index -> call.bits(target.architecture(), index), Action.KILL_PROCESS);
            if (regions.isEmpty()) {
                add(Level.WARNING, "NEVER_HOLDS", text + " can never hold: the rule has no effect; correct a constant");
            } else if (regions.getFirst().conditions().isEmpty()) {
                add(
                        Level.WARNING,
                        "ALWAYS_HOLDS",
                        text + " always holds: leave the conditions out, or correct a constant");
            }
        } catch (ArgumentRegions.TooManyException e) {
            // So many cases hold.
        }
    }

    private boolean tooWide(Condition condition, Syscall call) {
        long value = condition.operator() == Condition.Operator.MASKED_EQ ? condition.valueTwo() : condition.value();
        return call.bits(target.architecture(), condition.index()) <= 32 && value != (int) value && value >>> 32 != 0;
    }

    private void overlaps() {
        Map<String, Set<Action>> plain = new TreeMap<>();
        for (Rule rule : profile.rules()) {
            if (rule.appliesTo(target) && rule.conditions().isEmpty()) {
                rule.names()
                        .forEach(name -> plain.computeIfAbsent(name, n -> new HashSet<>())
                                .add(rule.action()));
            }
        }
        plain.forEach((name, actions) -> {
            if (actions.size() > 1) {
                add(
                        Level.WARNING,
                        "OVERLAP",
                        "several rules without conditions apply to " + name
                                + "; the most restrictive holds here, the first or last elsewhere: keep one");
            }
        });
    }

    private void notifications() {
        boolean listens =
                profile.rules().stream().anyMatch(rule -> rule.action().kind() == Action.Kind.NOTIFY)
                        || profile.defaultAction().kind() == Action.Kind.NOTIFY;
        if (listens && profile.listenerPath().isEmpty()) {
            add(
                    Level.ERROR,
                    "NO_LISTENER",
                    "SCMP_ACT_NOTIFY asks a listener and the profile names none: such calls fail with ENOSYS");
        }
        if (!profile.listenerPath().isEmpty()) {
            add(Level.WARNING, "LISTENER", "runs of Caisson connect no listener; listenerPath is for other engines");
        }
        if (!profile.flags().isEmpty()) {
            String flags = String.join(
                    ", ",
                    profile.flags().stream()
                            .sorted()
                            .map(Profile.Flag::toString)
                            .toList());
            add(
                    Level.WARNING,
                    "FLAGS",
                    "runs of Caisson load filters without " + flags + "; flags are for other engines");
        }
    }

    private void risks() {
        var risky = new TreeMap<String, String>();
        for (DecisionTable.Row row : DecisionTable.of(filter).rows()) {
            Syscall call = SyscallTable.get().byNumber(row.abi(), row.number()).orElseThrow();
            boolean open = row.loosest().kind() == Action.Kind.ALLOW && !row.dependsOnArguments();
            if (row.abi() == target.architecture()
                    && open
                    && !call.note().isEmpty()
                    && !EVERYDAY.contains(call.name())) {
                risky.put(call.name(), call.note());
            }
        }
        if (profile.defaultAction().kind() == Action.Kind.ALLOW) {
            add(
                    Level.WARNING,
                    "DENY_LIST",
                    "the profile allows every call that it does not name, also those of kernels to come, and "
                            + risky.size() + " risky ones"
                            + (risky.isEmpty() ? "" : " (" + String.join(", ", risky.keySet()) + ")")
                            + ": deny by default and name what the program needs");
            return;
        }
        risky.forEach(
                (name, note) -> add(Level.WARNING, "RISKY_CALL", name + " is allowed whatever its arguments: " + note));
    }

    /// Calls with a note that ordinary programs, debuggers among them, cannot do without.
    private static final Set<String> EVERYDAY =
            Set.of("ioctl", "name_to_handle_at", "process_vm_readv", "process_vm_writev", "ptrace");

    private void figures() {
        add(
                Level.NOTE,
                "CACHEABLE",
                filter.cacheableCalls()
                        + " calls are allowed by number alone, which the kernel decides from its bitmap");
        add(Level.NOTE, "LENGTH", filter.length() + " instructions of at most " + Assembler.MAX_LENGTH);
        add(Level.NOTE, "DECIDES", filter.summary().toString());
        SortedMap<String, String> foreign = new TreeMap<>();
        for (Architecture abi : DecisionTable.abis(filter)) {
            if (abi != target.architecture() && filter.summary().abis().contains(abi)) {
                foreign.put(abi.name(), abi.scmpName());
            }
        }
        if (!foreign.isEmpty()) {
            add(
                    Level.NOTE,
                    "FURTHER_ABIS",
                    "lets in " + String.join(", ", foreign.keySet()) + " besides " + target.architecture());
        }
    }

    private void add(Level level, String code, String sentence) {
        findings.add(new Finding(level, code, sentence));
    }
}
