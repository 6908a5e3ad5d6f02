package dev.caisson.hostaudit.facts;

import java.util.List;
import java.util.Set;

/// Device nodes as [ContainerFacts.Truth] lists them, and what rules of the v1 devices controller let a container do
/// with them.
public final class DeviceRules {
    /// First words of an entry for a directory of which not all was looked at.
    public static final String UNSEEN = "not all of ";
    /// Devices that every container has: null, zero, full, random, urandom, tty, console and ptmx, mem(4)
    /// and tty(4).
    private static final Set<String> USUAL = Set.of("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2");

    private static final Set<String> USUAL_NODES = Set.of(
            "/dev/null",
            "/dev/zero",
            "/dev/full",
            "/dev/random",
            "/dev/urandom",
            "/dev/tty",
            "/dev/console",
            "/dev/ptmx");

    private static final int PTS_MAJOR = 136;

    private DeviceRules() {}

    /// True for a character device, as `major:minor`, that every container has.
    public static boolean isUsual(String number) {
        return USUAL.contains(number) || number.startsWith(PTS_MAJOR + ":");
    }

    /// True if a device that was asked for, as `host:inside:access`, is one that every container has.
    public static boolean isUsualNode(String asked) {
        return USUAL_NODES.contains(asked.split(":", 2)[0]);
    }

    /// True if the entry is none of a device, but of a directory of which not all was looked at.
    public static boolean isUnseen(String entry) {
        return entry.startsWith(UNSEEN);
    }

    /// True if a rule of the v1 devices controller allows reading or writing; without rules nothing forbids
    /// it.
    public static boolean permitted(String node, List<String> rules) {
        String[] parts = node.split(" ", 3);
        if (rules.isEmpty() || parts.length < 3 || parts[0].length() != 1) {
            return true;
        }
        String[] number = parts[1].split(":", 2);
        return rules.stream()
                .map(rule -> rule.split("[ :]", -1))
                .anyMatch(rule -> rule.length == 4
                        && (rule[0].equals("a") || rule[0].equals(parts[0]))
                        && (rule[1].equals("*") || rule[1].equals(number[0]))
                        && (rule[2].equals("*") || rule[2].equals(number[1]))
                        && uses(rule[3]));
    }

    private static boolean uses(String access) {
        return access.contains("r") || access.contains("w");
    }

    /// Rules that let a container use devices beyond the usual ones, once it has made a node for them.
    public static List<String> wide(List<String> rules) {
        return rules.stream()
                .filter(rule -> {
                    String[] parts = rule.split("[ :]", -1);
                    return parts.length != 4 || (uses(parts[3]) && !isUsual(parts));
                })
                .sorted()
                .toList();
    }

    /// 10:200 is tun(4), which low-level runtimes allow everybody: making an interface takes NET_ADMIN.
    private static boolean isUsual(String[] rule) {
        String number = rule[1] + ":" + rule[2];
        return rule[0].equals("c") && (isUsual(number) || number.equals("10:200"));
    }
}
