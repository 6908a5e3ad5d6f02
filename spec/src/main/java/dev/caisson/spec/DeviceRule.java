package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.allPresent;
import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.LimitException.Code;
import dev.caisson.text.Quoted;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Device nodes that a group may use, in a group that may use no others but [#STANDARD].
///
/// @param major empty for every number
/// @param minor empty for every number
public record DeviceRule(Kind kind, OptionalInt major, OptionalInt minor, Set<Access> access) {
    /// The kinds of device nodes, by the kernel's letters.
    public enum Kind {
        CHARACTER('c'),
        BLOCK('b');

        private final char letter;

        Kind(char letter) {
            this.letter = letter;
        }

        /// Returns the letter that the kernel's devices controller and Docker use.
        public char letter() {
            return letter;
        }
    }

    /// The uses of a device node.
    public enum Access {
        READ('r'),
        WRITE('w'),
        /// Make a node, mknod(2).
        MAKE('m');

        private final char letter;

        Access(char letter) {
            this.letter = letter;
        }

        /// Returns the letter that the kernel's devices controller and Docker use.
        public char letter() {
            return letter;
        }
    }

    /// The devices of every container: null, zero, full, random, urandom, mem(4), its own terminals, tty(4) and pts(4).
    public static final List<DeviceRule> STANDARD = List.of(
            character(1, 3),
            character(1, 5),
            character(1, 7),
            character(1, 8),
            character(1, 9),
            character(5, 0),
            character(5, 2),
            new DeviceRule(Kind.CHARACTER, OptionalInt.of(136), OptionalInt.empty(), EnumSet.allOf(Access.class)));

    private static final Pattern RULE = Pattern.compile("([abc]) (\\d{1,8}|\\*):(\\d{1,8}|\\*) ([rwm]{1,3})");
    private static final int MOST_MAJOR = (1 << 12) - 1; // linux/kdev_t.h
    private static final int MOST_MINOR = (1 << 20) - 1;

    /// Keeps a copy of `access`.
    public DeviceRule {
        present(kind, "kind");
        access = Set.copyOf(allPresent(access, "access"));
        if (present(major, "major").orElse(0) > MOST_MAJOR
                || present(minor, "minor").orElse(0) > MOST_MINOR) {
            throw new LimitException(
                    Code.BAD_DEVICE,
                    "a device has a major number up to " + MOST_MAJOR + " and a minor number up to " + MOST_MINOR
                            + ", not " + major.orElse(0) + ":" + minor.orElse(0));
        }
    }

    private static DeviceRule character(int major, int minor) {
        return new DeviceRule(
                Kind.CHARACTER, OptionalInt.of(major), OptionalInt.of(minor), EnumSet.allOf(Access.class));
    }

    /// Reads a rule as Docker's `--device-cgroup-rule` takes it, such as `c 1:3 rwm` or `b 8:* r`.
    /// @return one rule, and two where the text is of every kind of device, as `a *:* r`
    public static List<DeviceRule> parse(String text) {
        Matcher matcher = RULE.matcher(present(text, "text"));
        if (!matcher.matches()) {
            throw new LimitException(
                    Code.BAD_DEVICE,
                    Quoted.of(text) + " is not a rule for devices; write one such as \"c 1:3 rwm\" or \"b 8:* r\"");
        }
        var access = EnumSet.noneOf(Access.class);
        for (Access one : Access.values()) {
            if (matcher.group(4).indexOf(one.letter()) >= 0) {
                access.add(one);
            }
        }
        var rules = new ArrayList<DeviceRule>();
        for (Kind kind : Kind.values()) {
            if (matcher.group(1).charAt(0) == kind.letter() || matcher.group(1).equals("a")) {
                rules.add(new DeviceRule(kind, number(matcher.group(2)), number(matcher.group(3)), access));
            }
        }
        return rules;
    }

    private static OptionalInt number(String text) {
        return text.equals("*") ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(text));
    }

    /// One rule for each set of devices, as the kernel keeps them, in the order of their text.
    public static List<DeviceRule> merged(List<DeviceRule> rules) {
        var byDevices = new HashMap<DeviceRule, Set<Access>>();
        for (DeviceRule rule : allPresent(rules, "rules")) {
            byDevices
                    .computeIfAbsent(rule.access(Set.of()), _ -> EnumSet.noneOf(Access.class))
                    .addAll(rule.access);
        }
        return byDevices.entrySet().stream()
                .map(entry -> entry.getKey().access(entry.getValue()))
                .sorted(Comparator.comparing(DeviceRule::toString))
                .toList();
    }

    private DeviceRule access(Set<Access> other) {
        return new DeviceRule(kind, major, minor, other);
    }

    /// True if it allows nothing beyond [#STANDARD].
    public boolean isStandard() {
        return STANDARD.stream().anyMatch(this::isWithin);
    }

    private boolean isWithin(DeviceRule wide) {
        return kind == wide.kind
                && (wide.major.isEmpty() || wide.major.equals(major))
                && (wide.minor.isEmpty() || wide.minor.equals(minor))
                && wide.access.containsAll(access);
    }

    /// Returns the form that the kernel's devices controller takes.
    @Override
    public String toString() {
        var text = new StringBuilder().append(kind.letter()).append(' ');
        text.append(major.isPresent() ? Integer.toString(major.getAsInt()) : "*")
                .append(':');
        text.append(minor.isPresent() ? Integer.toString(minor.getAsInt()) : "*")
                .append(' ');
        for (Access one : Access.values()) {
            if (access.contains(one)) {
                text.append(one.letter());
            }
        }
        return text.toString();
    }
}
