package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.LimitException.Code;
import dev.caisson.text.Quoted;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Pattern;

/// CPUs or memory nodes by number, in the kernel's list format, cpuset(7): `0-3,8`.
public final class CpuList {
    private static final int MOST = 8191; // CONFIG_NR_CPUS is at most 8192
    private static final Pattern RANGE = Pattern.compile("(\\d{1,4})(?:-(\\d{1,4}))?");

    private final BitSet numbers;

    private CpuList(BitSet numbers) {
        this.numbers = numbers;
    }

    /// Reads a list such as `0-3,8`.
    public static CpuList parse(String text) {
        var numbers = new BitSet();
        for (String part : present(text, "text").split(",", -1)) {
            var matcher = RANGE.matcher(part);
            if (!matcher.matches()) {
                throw bad(text);
            }
            int first = Integer.parseInt(matcher.group(1));
            int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
            if (last < first || last > MOST) {
                throw bad(text);
            }
            numbers.set(first, last + 1);
        }
        return new CpuList(numbers);
    }

    private static LimitException bad(String text) {
        return new LimitException(
                Code.BAD_CPU_LIST, Quoted.of(text) + " is not a list of CPUs or nodes; write one such as 0-3,8");
    }

    /// True if all of these are among `others`.
    public boolean isWithin(CpuList others) {
        var outside = (BitSet) numbers.clone();
        outside.andNot(present(others, "others").numbers);
        return outside.isEmpty();
    }

    public int size() {
        return numbers.cardinality();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CpuList list && numbers.equals(list.numbers);
    }

    @Override
    public int hashCode() {
        return numbers.hashCode();
    }

    /// In the kernel's format, each run of numbers as short as it gets.
    @Override
    public String toString() {
        List<String> ranges = new ArrayList<>();
        for (int first = numbers.nextSetBit(0); first >= 0; ) {
            int end = numbers.nextClearBit(first);
            ranges.add(end - first == 1 ? Integer.toString(first) : first + "-" + (end - 1));
            first = numbers.nextSetBit(end);
        }
        return String.join(",", ranges);
    }
}
