package dev.caisson.cgroup;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.KernelText;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// The texts of one group's files.
sealed interface GroupFiles {
    /// Without the line's end.
    String read(Tree tree, String file);

    /// Empty where this kernel, or the root group, does not have the file.
    Optional<String> find(Tree tree, String file);

    /// Opens a file each time.
    static GroupFiles of(String group) {
        return new Once(group);
    }

    record Once(String group) implements GroupFiles {
        @Override
        public String read(Tree tree, String file) {
            return tree.read(group, file);
        }

        @Override
        public Optional<String> find(Tree tree, String file) {
            return tree.find(group, file);
        }
    }

    /// Opens each file once and reads it again from its start, which costs the kernel a sixth. All of them
    /// together keep at most half of the descriptors that this process may have; the rest is opened each
    /// time.
    final class Kept implements GroupFiles, AutoCloseable {
        private static final long STANDARD_LIMIT = 1024;
        private static final AtomicLong LEFT = new AtomicLong(descriptorLimit() / 2);

        private record Name(Tree tree, String file) {}

        private final String group;
        /// An empty entry for a file that is not there.
        private final Map<Name, Optional<Fd>> open = new LinkedHashMap<>();

        private boolean closed;

        Kept(String group) {
            this.group = group;
        }

        private static long descriptorLimit() {
            try {
                return KernelText.lines(ByteText.read(Path.of("/proc/self/limits")))
                        .filter(line -> line.startsWith("Max open files"))
                        .map(line -> line.split("\\s+", -1)[3])
                        .mapToLong(Long::parseLong)
                        .findFirst()
                        .orElse(STANDARD_LIMIT);
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        @Override
        public String read(Tree tree, String file) {
            // The error of a file that is not there is the tree's to tell.
            return find(tree, file).orElseGet(() -> tree.read(group, file));
        }

        @Override
        public synchronized Optional<String> find(Tree tree, String file) {
            var name = new Name(tree, file);
            Optional<Fd> known = open.get(name);
            if (known == null) {
                if (closed || LEFT.decrementAndGet() < 0) {
                    LEFT.incrementAndGet();
                    return tree.find(group, file);
                }
                known = tree.findFile(group, file);
                if (known.isEmpty()) {
                    LEFT.incrementAndGet();
                }
                open.put(name, known);
            }
            return known.map(KernelText::read);
        }

        @Override
        public synchronized void close() {
            closed = true;
            for (Optional<Fd> file : open.values()) {
                file.ifPresent(fd -> {
                    fd.close();
                    LEFT.incrementAndGet();
                });
            }
            open.clear();
        }
    }
}
