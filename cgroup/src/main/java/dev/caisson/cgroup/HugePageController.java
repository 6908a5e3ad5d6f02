package dev.caisson.cgroup;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelText;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// The hugetlb controller: huge pages by their size, and the reservations for them. Pages that the host keeps for its
/// own programs are outside of every memory limit, so a group gets none of them unless its limits say how many.
///
/// @param kept sizes of which the host keeps pages or allows more
record HugePageController(Tree tree, List<String> kept) implements Controller {
    static final String NAME = "hugetlb";
    private static final Path PAGES = Path.of("/sys/kernel/mm/hugepages");
    private static final String DIRECTORY = "hugepages-";
    private static final String UNIT = "kB";

    HugePageController {
        kept = List.copyOf(kept);
    }

    static HugePageController of(Tree tree) {
        return new HugePageController(tree, kept(PAGES));
    }

    /// @param pages where the kernel has a directory for each size, Documentation/admin-guide/mm/hugetlbpage.rst
    static List<String> kept(Path pages) {
        var sizes = new ArrayList<String>();
        try (Fd all = FileSystem.open(pages.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            for (String name : DirectoryEntries.of(all)) {
                if (name.startsWith(DIRECTORY) && name.endsWith(UNIT) && isKept(all, name)) {
                    sizes.add(size(Long.parseLong(name, DIRECTORY.length(), name.length() - UNIT.length(), 10)));
                }
            }
        } catch (ErrnoException e) {
            return List.of(); // a kernel without huge pages, or a pod without /sys
        }
        return sizes;
    }

    private static boolean isKept(Fd all, String name) {
        return !KernelText.read(all, name + "/nr_hugepages").equals("0")
                || !KernelText.read(all, name + "/nr_overcommit_hugepages").equals("0");
    }

    /// In the words of the files of control groups.
    private static String size(long kibibytes) {
        return kibibytes >= 1 << 20
                ? (kibibytes >> 20) + "GB"
                : kibibytes >= 1 << 10 ? (kibibytes >> 10) + "MB" : kibibytes + "KB";
    }

    static boolean isNeeded(Limits limits) {
        return !limits.hugePages().isEmpty();
    }

    /// Returns whether a group with these limits has any.
    boolean isUsed(Limits limits) {
        return isNeeded(limits) || !kept.isEmpty();
    }

    @Override
    public List<Setting> settings(Limits limits, String parent) {
        String limit = tree.isUnified() ? "max" : "limit_in_bytes";
        var most = new TreeMap<String, Bytes>();
        kept.forEach(size -> most.put(size, Bytes.ZERO));
        most.putAll(limits.hugePages());
        var settings = new ArrayList<Setting>();
        most.forEach((size, bytes) -> {
            String value = Long.toString(bytes.count());
            settings.add(new Setting(NAME, tree, "hugetlb." + size + "." + limit, value));
            // a mapping that goes past this one fails, where it would die of the other at its first touch
            settings.add(new Setting(NAME, tree, "hugetlb." + size + ".rsvd." + limit, value));
        });
        return settings;
    }

    @Override
    public List<Lack> lacks(Limits limits, String parent) {
        return List.of();
    }
}
