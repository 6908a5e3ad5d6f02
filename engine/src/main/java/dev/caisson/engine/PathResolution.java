package dev.caisson.engine;

import dev.caisson.linux.Errno;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Follows the symbolic links of a container's path inside of the container, one component after the other. What comes
/// out holds no link, so whoever uses it need not follow any.
final class PathResolution {
    private static final int MOST_LINKS = 40;

    private final Function<String, Optional<FileEntry>> files;

    /// @param files finds what a path without links names
    PathResolution(Function<String, Optional<FileEntry>> files) {
        this.files = files;
    }

    /// @param last whether a link that is the last component is followed too
    String of(String path, boolean last) {
        Deque<String> left = names("/" + dev.caisson.linux.ByteText.of(ContainerPath.relative(path)));
        List<String> done = new ArrayList<>();
        int links = 0;
        while (!left.isEmpty()) {
            String name = left.pop();
            if (name.equals("..")) {
                if (!done.isEmpty()) {
                    done.removeLast();
                }
                continue;
            }
            done.add(name);
            Optional<FileEntry> entry = files.apply(text(done));
            if (entry.isEmpty() && !left.isEmpty()) {
                throw FileFailures.of(Errno.ENOENT, text(done));
            }
            Optional<String> target = entry.flatMap(FileEntry::target);
            if (target.isPresent() && (last || !left.isEmpty())) {
                if (++links > MOST_LINKS) {
                    throw FileFailures.of(Errno.ELOOP, path);
                }
                done.removeLast();
                if (target.get().startsWith("/")) {
                    done.clear();
                }
                names(target.get()).descendingIterator().forEachRemaining(left::push);
            }
        }
        return text(done);
    }

    private static String text(List<String> names) {
        return "/" + String.join("/", names);
    }

    private static Deque<String> names(String path) {
        return new ArrayDeque<>(Arrays.stream(path.split("/", -1))
                .filter(name -> !name.isEmpty() && !name.equals("."))
                .toList());
    }
}
