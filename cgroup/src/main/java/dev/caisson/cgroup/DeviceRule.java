package dev.caisson.cgroup;

import dev.caisson.cgroup.CgroupException.Code;
import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Device nodes that a group may use, in a group that may use no others.
///
/// @param major empty for every number
/// @param minor empty for every number
public record DeviceRule(Kind kind, OptionalInt major, OptionalInt minor, Set<Access> access) {
    /// What a device node stands for; the names are the kernel's letters.
    public enum Kind {
        CHARACTER('c'),
        BLOCK('b');

        private final char letter;

        Kind(char letter) {
            this.letter = letter;
        }

        char letter() {
            return letter;
        }
    }

    /// What is done with a device node.
    public enum Access {
        READ('r'),
        WRITE('w'),
        /// Make a node, mknod(2).
        MAKE('m');

        private final char letter;

        Access(char letter) {
            this.letter = letter;
        }

        char letter() {
            return letter;
        }
    }

    private static final Pattern RULE = Pattern.compile("([bc]) (\\d{1,8}|\\*):(\\d{1,8}|\\*) ([rwm]{1,3})");

    /// Keeps a copy of `access`.
    public DeviceRule {
        access = Set.copyOf(access);
    }

    /// Reads a rule as Docker's `--device-cgroup-rule` takes it, such as `c 1:3 rwm` or `b 8:* r`.
    public static DeviceRule parse(String text) {
        Matcher matcher = RULE.matcher(text);
        if (!matcher.matches()) {
            throw new CgroupException(
                    Code.BAD_DEVICE,
                    "\"" + text + "\" is not a rule for devices; write one such as \"c 1:3 rwm\" or \"b 8:* r\".");
        }
        var access = EnumSet.noneOf(Access.class);
        for (Access one : Access.values()) {
            if (matcher.group(4).indexOf(one.letter()) >= 0) {
                access.add(one);
            }
        }
        return new DeviceRule(
                matcher.group(1).equals("b") ? Kind.BLOCK : Kind.CHARACTER,
                number(matcher.group(2)),
                number(matcher.group(3)),
                access);
    }

    private static OptionalInt number(String text) {
        return text.equals("*") ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(text));
    }

    /// As the kernel's devices controller takes it.
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
