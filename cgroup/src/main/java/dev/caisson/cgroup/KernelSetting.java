package dev.caisson.cgroup;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.DeviceRule;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A limit as it was written to the kernel, for a later comparison with what stands there.
///
/// @param limit the limit's name for people, as in `memory`
/// @param file of the group, which the kernel names after its controller
/// @param value that was written
public record KernelSetting(String limit, String file, String value) {
    /// Name of the limit on devices.
    static final String DEVICES = "devices";

    private static final String BYTES = "_in_bytes";
    private static final Pattern OF_ONE_DISK = Pattern.compile("\\d+:\\d+ .+");

    /// Parses what [#toString] writes.
    public static KernelSetting parse(String text) {
        int space = text.indexOf(' ');
        int equals = text.indexOf('=', space);
        if (space < 0 || equals < 0) {
            throw new IllegalArgumentException("not a setting: " + text);
        }
        return new KernelSetting(
                text.substring(0, space), text.substring(space + 1, equals), text.substring(equals + 1));
    }

    /// Those of single disks and device rules are set when a group is made and stay.
    boolean isFixed() {
        return isOfOneDisk() || limit.equals(DEVICES);
    }

    private boolean isOfOneDisk() {
        return OF_ONE_DISK.matcher(value).matches();
    }

    boolean isWeightOfDisk() {
        return isOfOneDisk() && file.contains("weight");
    }

    /// Returns the rules of the limit on devices.
    List<DeviceRule> rules() {
        return Stream.of(value.split(", ", -1))
                .flatMap(rule -> DeviceRule.parse(rule).stream())
                .toList();
    }

    String controller() {
        return file.substring(0, file.indexOf('.'));
    }

    /// Returns the part of a file's text that stands for this setting: the line of a disk, one figure of several, or
    /// all of it.
    Optional<String> within(String text) {
        if (file.equals("memory.oom_control")) {
            return Optional.of(Long.toString(new KeyedText(text).get("oom_kill_disable")));
        }
        if (isOfOneDisk()) {
            String disk = value.substring(0, value.indexOf(' ') + 1);
            return text.lines().filter(line -> line.startsWith(disk)).findFirst();
        }
        return Optional.of(
                text.startsWith("default ") && !value.startsWith("default ")
                        ? text.lines().findFirst().orElse("").substring("default ".length())
                        : text.lines().findFirst().orElse(""));
    }

    /// The kernel keeps amounts of memory in whole pages, and of huge pages in whole ones of their size.
    String asKept() {
        boolean amount = file.endsWith(BYTES) || file.matches("memory\\.(max|low|swap\\.max)|hugetlb\\.\\w+\\.max");
        if (!amount || !value.matches("\\d+")) {
            return value;
        }
        long unit = file.startsWith("hugetlb.")
                ? Bytes.parse(file.substring("hugetlb.".length(), file.indexOf('.', "hugetlb.".length())))
                        .count()
                : Kernel.PAGE_SIZE;
        return Long.toString(Long.parseLong(value) / unit * unit);
    }

    /// One line, as `memory memory.max=67108864`.
    @Override
    public String toString() {
        return limit + " " + file + "=" + value;
    }
}
