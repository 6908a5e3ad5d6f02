package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Evaluates a profile for a call straight from its rules, one after the other: the reference that compiled filters
/// are held against. It shares nothing with the compiler but the table and the profile.
public final class ProfileEvaluator {
    private final Profile profile;
    private final Target target;
    private final Set<Architecture> abis;
    private final SyscallTable table = SyscallTable.get();
    private final Map<Architecture, Integer> newest = new EnumMap<>(Architecture.class);

    public ProfileEvaluator(Profile profile, Target target) {
        this.profile = profile;
        this.target = target;
        this.abis = profile.abisOn(target.architecture());
        List<String> named =
                profile.rules().stream().flatMap(rule -> rule.names().stream()).toList();
        for (Architecture abi : Architecture.values()) {
            newest.put(abi, table.newest(abi, Set.copyOf(named)));
        }
    }

    public Action decide(SeccompData data) {
        if (entered(data).isEmpty()) {
            return Action.KILL_PROCESS;
        }
        return numbering(data)
                .flatMap(abi -> table.byNumber(abi, plain(data)).map(call -> decide(abi, plain(data), call, data)))
                .orElseGet(profile::unknownAction);
    }

    /// The call that the profile takes it for; empty where it lets its ABI in not at all, or the number is none.
    Optional<Syscall> call(SeccompData data) {
        return numbering(data).flatMap(abi -> table.byNumber(abi, plain(data)));
    }

    /// True if a condition holds for a call that the table knows.
    boolean holds(Condition condition, SeccompData data) {
        return numbering(data)
                .flatMap(abi -> table.byNumber(abi, plain(data)).map(call -> holds(condition, abi, call, data)))
                .orElse(false);
    }

    /// An argument as the kernel reads it.
    long argument(SeccompData data, int index) {
        long register = data.argument(index);
        return numbering(data)
                .flatMap(abi -> table.byNumber(abi, plain(data)).map(call -> narrow(register, call.bits(abi, index))))
                .orElse(register);
    }

    private Optional<Architecture> entered(SeccompData data) {
        return abis.stream()
                .filter(abi -> abi.auditValue() == data.arch() && abi != Architecture.X32)
                .findFirst();
    }

    private static boolean isX32(SeccompData data) {
        return data.arch() == Architecture.X86_64.auditValue() && (data.number() & Architecture.X32_BIT) != 0;
    }

    private static int plain(SeccompData data) {
        return isX32(data) ? data.number() & ~Architecture.X32_BIT : data.number();
    }

    /// The ABI that gives the number its meaning.
    private Optional<Architecture> numbering(SeccompData data) {
        if ((isX32(data) && !abis.contains(Architecture.X32)) || data.number() < 0) {
            return Optional.empty();
        }
        return entered(data).map(abi -> Architecture.numbering(isX32(data) ? Architecture.X32 : abi, plain(data)));
    }

    private Action decide(Architecture abi, int number, Syscall call, SeccompData data) {
        List<Rule> rules = profile.rules().stream()
                .filter(rule -> rule.appliesTo(target) && rule.names().contains(call.name()))
                .toList();
        List<Action> matched = new ArrayList<>();
        List<Action> unconditional = new ArrayList<>();
        for (Rule rule : rules) {
            if (rule.conditions().isEmpty()) {
                unconditional.add(rule.action());
            } else if (rule.conditions().stream().allMatch(condition -> holds(condition, abi, call, data))) {
                matched.add(rule.action());
            }
        }
        return strictest(matched)
                .or(() -> strictest(unconditional))
                .orElseGet(() -> isNewer(abi, number, call) ? profile.unknownAction() : profile.defaultAction());
    }

    private boolean isNewer(Architecture abi, int number, Syscall call) {
        return number > newest.getOrDefault(abi, -1)
                || call.since().filter(target.kernel()::isBefore).isPresent();
    }

    private static Optional<Action> strictest(List<Action> actions) {
        return actions.stream().reduce((first, next) -> next.isStricterThan(first) ? next : first);
    }

    private static boolean holds(Condition condition, Architecture abi, Syscall call, SeccompData data) {
        int bits = call.bits(abi, condition.index());
        long argument = narrow(data.argument(condition.index()), bits);
        long value = constant(condition.value(), bits);
        return switch (condition.operator()) {
            case EQ -> argument == value;
            case NE -> argument != value;
            case LT -> Long.compareUnsigned(argument, value) < 0;
            case LE -> Long.compareUnsigned(argument, value) <= 0;
            case GE -> Long.compareUnsigned(argument, value) >= 0;
            case GT -> Long.compareUnsigned(argument, value) > 0;
            case MASKED_EQ -> (argument & condition.value()) == constant(condition.valueTwo(), bits);
        };
    }

    private static long narrow(long argument, int bits) {
        return bits == 64 ? argument : argument & ((1L << bits) - 1);
    }

    /// A constant below zero, as C's headers write `-1`, reaches a profile with its sign extended to 64 bits.
    private static long constant(long value, int bits) {
        return bits < 64 && value == (int) value && value < 0 ? narrow(value, bits) : value;
    }
}
