package dev.caisson.engine;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Writes the root file system of a container as a tar archive: what the layers show together, as the kernel's
/// overlay merges them. The layers themselves are read, never a mount of the container's: nothing that is mounted
/// there can be in the archive, and a start's own files are those of the image.
final class RootPack {
    private final int idBase;
    private final Set<String> ours;
    private final MemberPack archive;
    private int entries;

    /// @param idBase the host's number of the container's user 0
    /// @param ours paths that each start makes or covers
    RootPack(int idBase, Set<String> ours, OutputStream to) {
        this.idBase = idBase;
        this.ours = Set.copyOf(ours);
        this.archive = new MemberPack(to, Instant.MAX);
    }

    /// @param layers topmost first
    /// @param hasUpper true if the first is what the container writes
    void write(List<Fd> layers, boolean hasUpper) throws IOException {
        below(layers, hasUpper, "", 0);
        archive.finish();
    }

    private void below(List<Fd> trees, boolean hasUpper, String path, int depth) throws IOException {
        if (depth > LayerDiff.DEPTH) {
            throw FileFailures.of(Errno.E2BIG, path);
        }
        var names = new TreeSet<String>();
        for (Fd tree : trees) {
            names.addAll(DirectoryEntries.of(tree, LayerDiff.MOST_ENTRIES));
        }
        for (String name : LayerPack.sorted(names)) {
            if (++entries > LayerDiff.MOST_ENTRIES) {
                throw FileFailures.of(Errno.E2BIG, path);
            }
            entry(trees, hasUpper, name, path + "/" + name, depth);
        }
    }

    private void entry(List<Fd> trees, boolean hasUpper, String name, String path, int depth) throws IOException {
        boolean isOurs = hasUpper && ours.contains(path);
        for (int i = 0; i < trees.size(); i++) {
            Optional<FileStatus> found =
                    isOurs && i == 0 ? Optional.empty() : FileSystem.findStatus(trees.get(i), name);
            if (found.isPresent()) {
                shown(trees.subList(i, trees.size()), hasUpper && i == 0, name, path, found.get(), depth);
                return;
            }
            if (LayerDiff.isOpaque(trees.get(i))) {
                return;
            }
        }
    }

    /// @param trees from the one on that has the entry
    private void shown(List<Fd> trees, boolean isUpper, String name, String path, FileStatus status, int depth)
            throws IOException {
        int base = isUpper ? idBase : 0;
        String member = path.substring(1);
        if (status.isDirectory()) {
            var merged = new ArrayList<Fd>();
            try {
                LayerDiff.merge(trees, name, merged);
                if (!merged.isEmpty()) { // gone meanwhile
                    var _ = archive.directory(merged.getFirst(), path, member, base);
                    below(merged, isUpper, path, depth + 1);
                }
            } finally {
                merged.forEach(Fd::close);
            }
        } else if (!status.isSocket() && !status.isCharacterDevice() && !status.isBlockDevice()) {
            archive.leaf(trees.getFirst(), name, path, member, status, base);
        }
    }
}
