package dev.caisson.scan;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileStream;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/// Scans files and directories. Everything is opened below the descriptor of its directory, no link is followed, and
/// only regular files are read; the file systems of the kernel's own files are left out.
public final class TreeScan {
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK | FileSystem.O_NOCTTY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int DEEPEST = 128;
    private static final int MOST_NAMES = 1_000_000;
    private static final int MOST_WORKERS = 8;
    private static final int WAITING = 32;
    /// proc, sysfs, both cgroups, debugfs, tracefs, devpts, securityfs, bpf, selinuxfs; statfs(2).
    private static final Set<Long> KERNELS_OWN = Set.of(
            0x9fa0L,
            0x62656572L,
            0x27e0ebL,
            0x63677270L,
            0x64626720L,
            0x74726163L,
            0x1cd1L,
            0x73636673L,
            0xcafe4a11L,
            0xf97cff8cL);

    private final LeakScanner scanner;
    private final ScanSink sink;
    private final BlockingQueue<Work> queue = new ArrayBlockingQueue<>(WAITING);
    /// Ends the scan: the caller's sink threw it, or memory is short.
    private volatile @Nullable Throwable failure;

    private sealed interface Work {}

    private record File(String name, Fd file, long size) implements Work {}

    private record End() implements Work {}

    private TreeScan(LeakScanner scanner, ScanSink sink) {
        this.scanner = scanner;
        this.sink = new ScanSink() {
            @Override
            public synchronized void found(Leak leak) {
                tell(() -> sink.found(leak));
            }

            @Override
            public synchronized void skipped(String source, String why) {
                tell(() -> sink.skipped(source, why));
            }
        };
    }

    /// Calls the caller's sink, unless it has failed.
    private void tell(Runnable call) {
        if (failure == null) {
            try {
                call.run();
            } catch (RuntimeException | Error e) {
                failure = e;
            }
        }
    }

    /// Scans a file, or a directory and all below it.
    /// @param name by which places call it; empty for names below the directory alone
    /// @throws ScanException if it does not exist or cannot be opened
    /// @throws RuntimeException that the sink has thrown
    public static void scan(LeakScanner scanner, Path path, String name, ScanSink sink) {
        var scan = new TreeScan(scanner, sink);
        try (Fd root = FileSystem.open(path.toString(), READ)) {
            FileStatus status = FileSystem.status(root);
            if (status.isDirectory()) {
                scan.directory(root, name);
            } else if (status.isRegularFile()) {
                scanner.scan(name, new FileStream(root, status.size()), sink);
            } else {
                throw new ScanException(
                        ScanException.Code.INPUT_UNREADABLE,
                        name + " is neither a regular file nor a directory: pass its content to -");
            }
        } catch (ErrnoException e) {
            boolean missing = e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR;
            throw new ScanException(
                    missing ? ScanException.Code.INPUT_MISSING : ScanException.Code.INPUT_UNREADABLE,
                    missing ? "there is no file " + name : name + " cannot be read: " + Errno.name(e.errno()),
                    e);
        }
    }

    private void directory(Fd root, String name) {
        int count = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, MOST_WORKERS);
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            workers.add(Thread.ofPlatform().name("caisson-scan-" + i).start(this::work));
        }
        try {
            walk(root, name, FileSystem.status(root).fileSystem(), 0);
        } finally {
            workers.forEach(worker -> put(new End()));
            workers.forEach(TreeScan::join);
        }
        switch (failure) {
            case Error error -> throw error;
            case RuntimeException exception -> throw exception;
            case null, default -> {}
        }
    }

    private void walk(Fd directory, String name, long fileSystem, int depth) {
        if (failure != null) {
            return;
        }
        if (depth > DEEPEST) {
            sink.skipped(name, "it is in more than " + DEEPEST + " directories");
            return;
        }
        List<String> names =
                DirectoryEntries.of(directory, MOST_NAMES).stream().sorted().toList();
        if (names.size() == MOST_NAMES) {
            sink.skipped(name, "it has more than " + MOST_NAMES + " files");
        }
        for (String entry : names) {
            String full = name.isEmpty() ? entry : name.endsWith("/") ? name + entry : name + "/" + entry;
            try {
                FileStatus status = FileSystem.findStatus(directory, entry).orElse(null);
                if (status != null && status.isDirectory() && !isObjectsOfGit(name, entry)) {
                    below(directory, entry, full, fileSystem, depth);
                } else if (status != null && status.isRegularFile() && status.size() > 0) {
                    file(directory, entry, full);
                }
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT && e.errno() != Errno.ELOOP) {
                    sink.skipped(full, "it cannot be read: " + Errno.name(e.errno()));
                }
            }
        }
    }

    private void below(Fd directory, String entry, String full, long fileSystem, int depth) {
        try (Fd inside = FileSystem.openAt(directory, entry, READ | FileSystem.O_DIRECTORY, 0, BENEATH)) {
            long own = FileSystem.status(inside).fileSystem();
            if (own == fileSystem || !KERNELS_OWN.contains(FileSystem.type(inside))) {
                walk(inside, full, own, depth + 1);
            }
        }
    }

    private void file(Fd directory, String entry, String full) {
        Fd file = FileSystem.openAt(directory, entry, READ, 0, BENEATH);
        FileStatus status = FileSystem.status(file);
        if (status.isRegularFile()) {
            put(new File(full, file, status.size()));
        } else {
            file.close();
        }
    }

    /// Objects of git are compressed; they are scanned as a history.
    private static boolean isObjectsOfGit(String directory, String entry) {
        return entry.equals("objects") && (directory.equals(".git") || directory.endsWith("/.git"));
    }

    /// Takes files until there are no more, whatever happens: whoever adds them waits for room.
    private void work() {
        LeakScanner.Reader reader = scanner.reader();
        while (take() instanceof File(String name, Fd file, long size)) {
            try (file) {
                if (failure == null) {
                    reader.scan(name, new FileStream(file, size), sink);
                }
            } catch (RuntimeException e) {
                // a defect of ours on one file must not hide what the others hold
                sink.skipped(name, "it cannot be scanned: " + e.getClass().getSimpleName());
            } catch (Error e) {
                failure = e;
            }
        }
    }

    private Work take() {
        try {
            return queue.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new End();
        }
    }

    private void put(Work work) {
        boolean interrupted = false;
        while (true) {
            try {
                queue.put(work);
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void join(Thread worker) {
        boolean interrupted = false;
        while (worker.isAlive()) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
