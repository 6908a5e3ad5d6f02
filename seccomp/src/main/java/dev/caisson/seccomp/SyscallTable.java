package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// The system calls of every ABI, from the resource `syscalls.tsv`: a line a call, its number in a column per ABI.
/// X32's numbers stand there without the X32 bit.
public final class SyscallTable {
    /// The first column of numbers in the resource; the further ones follow the order of [Architecture].
    private static final int NUMBERS = 1;

    private static final int SINCE = NUMBERS + Architecture.values().length;
    private static final int WIDTHS = SINCE + 1;
    private static final int GROUP = WIDTHS + 1;
    private static final int NOTE = GROUP + 1;

    /// The numbers above are private to an architecture (ARM's `set_tls` and the like) and not given in order of age.
    private static final int LAST_IN_ORDER = 0xf0000;

    private final Map<String, Syscall> byName;
    private final Map<Architecture, SortedMap<Integer, Syscall>> byNumber;

    private SyscallTable(Map<String, Syscall> byName, Map<Architecture, SortedMap<Integer, Syscall>> byNumber) {
        this.byName = byName;
        this.byNumber = byNumber;
    }

    private static final class Holder {
        private static final SyscallTable TABLE = read(Profile.resource("syscalls.tsv"));
    }

    public static SyscallTable get() {
        return Holder.TABLE;
    }

    private static SyscallTable read(String text) {
        var byName = new HashMap<String, Syscall>(1024);
        var byNumber = new EnumMap<Architecture, SortedMap<Integer, Syscall>>(Architecture.class);
        for (Architecture architecture : Architecture.values()) {
            byNumber.put(architecture, new TreeMap<>());
        }
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start);
            if (text.charAt(start) != '#') {
                List<String> columns = columns(text, start, end);
                Syscall call = call(columns);
                byName.put(call.name(), call);
                int column = NUMBERS;
                for (SortedMap<Integer, Syscall> numbers : byNumber.values()) {
                    String number = columns.get(column++);
                    if (!number.equals("-")) {
                        numbers.put(Integer.parseInt(number), call);
                    }
                }
            }
            start = end + 1;
        }
        byNumber.replaceAll((architecture, numbers) -> Collections.unmodifiableSortedMap(numbers));
        return new SyscallTable(Map.copyOf(byName), byNumber);
    }

    private static List<String> columns(String text, int from, int to) {
        var columns = new ArrayList<String>(NOTE + 1);
        int start = from;
        for (int tab = text.indexOf('\t', start); tab >= 0 && tab < to; tab = text.indexOf('\t', start)) {
            columns.add(text.substring(start, tab));
            start = tab + 1;
        }
        columns.add(text.substring(start, to));
        return columns;
    }

    private static Syscall call(List<String> columns) {
        String since = columns.get(SINCE);
        String widths = columns.get(WIDTHS);
        return new Syscall(
                columns.getFirst(),
                since.equals("-") ? Optional.empty() : Optional.of(KernelVersion.parse(since)),
                widths.equals("-") ? "" : widths,
                columns.get(GROUP),
                columns.get(NOTE));
    }

    /// The calls of an ABI by their numbers, without the X32 bit.
    SortedMap<Integer, Syscall> calls(Architecture abi) {
        return byNumber.getOrDefault(abi, Collections.emptySortedMap());
    }

    /// The call that a number names under an ABI; for X32 with or without its bit.
    public Optional<Syscall> byNumber(Architecture abi, int number) {
        int plain = abi == Architecture.X32 ? number & ~Architecture.X32_BIT : number;
        return Optional.ofNullable(calls(abi).get(plain));
    }

    /// The number of a call under an ABI, for X32 without its bit.
    public OptionalInt number(Architecture abi, String name) {
        return calls(abi).entrySet().stream()
                .filter(entry -> entry.getValue().name().equals(name))
                .mapToInt(Map.Entry::getKey)
                .findFirst();
    }

    /// All calls of all ABIs.
    Collection<Syscall> names() {
        return byName.values();
    }

    public Optional<Syscall> byName(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /// The highest number, of those given in order of age, that one of the names has under an ABI; -1 for none.
    int newest(Architecture abi, Set<String> names) {
        int newest = -1;
        for (Map.Entry<Integer, Syscall> entry :
                calls(abi).headMap(LAST_IN_ORDER).entrySet()) {
            if (names.contains(entry.getValue().name())) {
                newest = entry.getKey();
            }
        }
        return newest;
    }
}
