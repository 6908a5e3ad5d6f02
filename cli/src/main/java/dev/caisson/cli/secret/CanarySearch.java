package dev.caisson.cli.secret;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelText;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueForm;
import dev.caisson.secret.ValueMatcher;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Looks for one value, in all its forms, in files that were written since it was made, and in the variables and
/// arguments of every process.
final class CanarySearch implements AutoCloseable {
    private static final int PIECE = 1 << 20;
    /// The types of proc, sysfs, cgroup, cgroup2 and devpts, statfs(2).
    private static final Set<Long> FILE_SYSTEMS_OF_THE_KERNEL =
            Set.of(0x9fa0L, 0x6265_6572L, 0x27_e0ebL, 0x6367_7270L, 0x1cd1L);

    private final ValueMatcher matcher;
    private final Instant since;
    private long files;
    private long bytes;
    private long processes;

    CanarySearch(SecretValue value, Instant since) {
        this.matcher = ValueMatcher.of(List.of(value));
        this.since = since;
    }

    long files() {
        return files;
    }

    long bytes() {
        return bytes;
    }

    long processes() {
        return processes;
    }

    /// Returns the files below a directory that have the value, each with the form. What is older than
    /// the value cannot have it.
    List<String> files(Path top) throws IOException {
        var found = new ArrayList<String>();
        if (!Files.exists(top, LinkOption.NOFOLLOW_LINKS)) {
            return found;
        }
        Files.walkFileTree(top, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                return isOfTheKernel(directory) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                boolean recent = !attributes.lastModifiedTime().toInstant().isBefore(since);
                if (attributes.isRegularFile() && recent) {
                    files++;
                    betweenHoles(file).forEach(form -> found.add(file + " has it, " + form.words()));
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException why) {
                return FileVisitResult.CONTINUE; // it is gone
            }
        });
        return found;
    }

    private static boolean isOfTheKernel(Path directory) {
        try (Fd open = FileSystem.open(directory.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return FILE_SYSTEMS_OF_THE_KERNEL.contains(FileSystem.type(open));
        } catch (ErrnoException e) {
            return true; // it is gone
        }
    }

    /// Returns the processes whose variables or arguments have the value.
    List<String> ofProcesses() throws IOException {
        var found = new ArrayList<String>();
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            for (Path process : all.toList()) {
                if (process.getFileName().toString().matches("[0-9]+")) {
                    processes++;
                    in(process.resolve("environ"))
                            .forEach(form -> found.add(
                                    "a variable of process " + process.getFileName() + " has it, " + form.words()));
                    in(process.resolve("cmdline"))
                            .forEach(form -> found.add(
                                    "an argument of process " + process.getFileName() + " has it, " + form.words()));
                }
            }
        }
        return found;
    }

    /// Returns the regions of memory that have the value, of all processes in the namespace of process ids of one.
    List<String> inMemory(int pid) throws IOException {
        var found = new ArrayList<String>();
        Path namespace = Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/pid"));
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            for (Path process : all.toList()) {
                if (process.getFileName().toString().matches("[0-9]+") && isIn(namespace, process)) {
                    processes++;
                    inMemory(process).forEach(found::add);
                }
            }
        }
        return found;
    }

    private static boolean isIn(Path namespace, Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("ns/pid")).equals(namespace);
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    private List<String> inMemory(Path process) throws IOException {
        var found = new ArrayList<String>();
        for (String region :
                KernelText.lines(ByteText.read(process.resolve("maps"))).toList()) {
            String[] bounds = region.split("[- ]", 3);
            if (!bounds[2].startsWith("r") || region.endsWith("[vvar]") || region.endsWith("[vsyscall]")) {
                continue;
            }
            long at = Long.parseUnsignedLong(bounds[0], 16);
            long end = Long.parseUnsignedLong(bounds[1], 16);
            try (var memory = new RandomAccessFile(process.resolve("mem").toFile(), "r");
                    var stream = new Found()) {
                byte[] piece = new byte[PIECE];
                memory.seek(at);
                while (at < end) {
                    int count = memory.read(piece, 0, (int) Math.min(piece.length, end - at));
                    if (count <= 0) {
                        break;
                    }
                    stream.write(piece, 0, count);
                    at += count;
                }
                stream.forms.forEach(form -> found.add("memory of process " + process.getFileName() + " at " + bounds[0]
                        + " has it, " + form.words()));
            } catch (IOException e) {
                // a region of the kernel's, or one that is gone
            }
        }
        return found;
    }

    /// Returns the forms in which some bytes have the value.
    Set<ValueForm> in(byte[] bytes) {
        var stream = new Found();
        stream.write(bytes, 0, bytes.length);
        return stream.forms;
    }

    private Set<ValueForm> in(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return in(in);
        } catch (IOException e) {
            return Set.of(); // it is gone, or has no content for us
        }
    }

    /// Returns the forms in which a file has the value between its holes: one of a terabyte is read in no time.
    private Set<ValueForm> betweenHoles(Path file) {
        Set<ValueForm> forms = new TreeSet<>();
        try (Fd open = FileSystem.open(file.toString(), FileSystem.O_RDONLY | FileSystem.O_NONBLOCK)) {
            long size = FileSystem.status(open).size();
            byte[] piece = new byte[PIECE];
            long at = FileContent.nextData(open, 0);
            while (at < size) {
                long end = FileContent.nextHole(open, at);
                var stream = new Found();
                int count = 1;
                for (; at < end && count > 0; at += count) {
                    count = Math.min(FileContent.readAt(open, piece, at), (int) Math.min(PIECE, end - at));
                    stream.write(piece, 0, count);
                }
                forms.addAll(stream.forms());
                at = FileContent.nextData(open, Math.max(at, end)); // it may have become shorter
            }
        } catch (ErrnoException e) {
            return forms; // it is gone, or has no content for us
        }
        return forms;
    }

    private Set<ValueForm> in(InputStream in) throws IOException {
        try (var stream = new Found()) {
            in.transferTo(stream);
            return stream.forms;
        }
    }

    /// Returns a stream that finds the value in what is written to it.
    Found stream() {
        return new Found();
    }

    /// Finds the value over the borders of what is written at once.
    final class Found extends OutputStream {
        private final Set<ValueForm> forms = new TreeSet<>();
        private byte[] held = new byte[0];

        @Override
        public void write(int one) {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) {
            for (int at = offset; at < offset + length; at += PIECE) {
                int count = Math.min(PIECE, offset + length - at);
                bytes += count;
                byte[] all = Arrays.copyOf(held, held.length + count);
                System.arraycopy(from, at, all, held.length, count);
                int hold = matcher.search(all, 0, all.length, (value, form, start, end) -> forms.add(form));
                held = Arrays.copyOfRange(all, hold, all.length);
            }
        }

        /// Returns the forms in which the value was found.
        Set<ValueForm> forms() {
            return forms;
        }
    }

    @Override
    public void close() {
        matcher.close();
    }
}
