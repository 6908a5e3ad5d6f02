package dev.caisson.audit;

import dev.caisson.audit.AuditException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/// The directory that proposals are written to. It may lie among files that strangers wrote: it is entered by
/// descriptor, no symbolic link is followed, and a file that is there already is only replaced where it is a proposal
/// itself. Either all targets are fit or nothing is written.
final class ProposalDirectory implements AutoCloseable {
    private static final int ENTER = FileSystem.O_PATH | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW;
    private static final int DIRECTORY_MODE = 0777;
    /// Lines around a change are those of the file, whatever secrets stand there.
    private static final int FILE_MODE = 0600;

    private final Path path;
    private final String mark;
    private final List<Fd> open = new ArrayList<>();

    /// A file to be written, in a directory that is held.
    private record Target(Fd directory, String name, Path shown, boolean replaces) {}

    private ProposalDirectory(Path path, String mark) {
        this.path = path;
        this.mark = mark;
    }

    /// @param mark what every proposal begins with
    /// @throws AuditException OUTPUT_FAILED, or OPTION_INVALID where a file would be in force at once
    static void write(Path path, String mark, SequencedMap<String, Proposal.Contents> files) {
        try (ProposalDirectory directory = new ProposalDirectory(path, mark)) {
            directory.write(files);
        } catch (ErrnoException e) {
            throw new AuditException(Code.OUTPUT_FAILED, path + " cannot be written to: " + e.getMessage(), e);
        }
    }

    private void write(SequencedMap<String, Proposal.Contents> files) {
        if (files.isEmpty()) {
            return;
        }
        Fd top = enterTop();
        List<Target> targets = new ArrayList<>();
        for (String name : files.keySet()) {
            targets.add(target(top, Path.of(name)));
        }
        int at = 0;
        for (Proposal.Contents contents : files.values()) {
            put(targets.get(at++), contents.bytes());
        }
    }

    /// A path from `/` may lead over links, which belong to the host; one from here may not, and nor may its end.
    private Fd enterTop() {
        Fd here = hold(FileSystem.open(path.isAbsolute() ? "/" : ".", FileSystem.O_PATH | FileSystem.O_DIRECTORY));
        Path walked = path.isAbsolute() ? Path.of("/") : Path.of("");
        for (int part = 0; part < path.getNameCount(); part++) {
            walked = walked.resolve(path.getName(part));
            boolean links = path.isAbsolute() && part + 1 < path.getNameCount();
            here = enter(here, path.getName(part).toString(), walked, links);
        }
        return here;
    }

    private Fd enter(Fd parent, String name, Path shown, boolean links) {
        if (name.isEmpty()) {
            return parent;
        }
        int flags = links ? ENTER & ~FileSystem.O_NOFOLLOW : ENTER;
        Optional<FileStatus> there = status(parent, name);
        if (there.isEmpty()) {
            FileSystem.makeDirectory(parent, name, DIRECTORY_MODE);
        } else if (!links && there.get().isSymbolicLink()) {
            throw refused(shown + " is a symbolic link: name the directory that it leads to");
        } else if (!links && !there.get().isDirectory()) {
            throw refused(shown + " is no directory: name another one");
        }
        return hold(FileSystem.openAt(parent, name, flags, 0, 0));
    }

    private Target target(Fd top, Path name) {
        Fd directory = top;
        Path walked = path;
        for (int part = 0; part + 1 < name.getNameCount(); part++) {
            walked = walked.resolve(name.getName(part));
            directory = enter(directory, name.getName(part).toString(), walked, false);
        }
        String last = name.getFileName().toString();
        Path shown = walked.resolve(last);
        Fd parent = directory;
        if (last.endsWith(".yaml")
                && ComposeOverride.BASES.stream()
                        .anyMatch(base -> status(parent, base).isPresent())) {
            throw new AuditException(
                    Code.OPTION_INVALID,
                    shown + " would be in force at once: name a directory that holds no compose project.");
        }
        Optional<FileStatus> there = status(directory, last);
        if (there.isPresent() && !(there.get().isRegularFile() && isProposal(directory, last))) {
            throw refused(shown + " is there and is no proposal of this command: name another directory");
        }
        return new Target(directory, last, shown, there.isPresent());
    }

    private boolean isProposal(Fd directory, String name) {
        int flags = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW | FileSystem.O_NONBLOCK | FileSystem.O_NOCTTY;
        byte[] wanted = mark.getBytes(StandardCharsets.UTF_8);
        try (Fd file = FileSystem.openAt(directory, name, flags, 0, 0)) {
            return java.util.Arrays.equals(FileSystem.read(file, wanted.length), wanted);
        }
    }

    private static void put(Target target, byte[] bytes) {
        String temporary = "." + target.name() + ".new";
        int flags = FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_EXCL | FileSystem.O_NOFOLLOW;
        try (Fd file = FileSystem.openAt(target.directory(), temporary, flags, FILE_MODE, 0)) {
            try {
                if (bytes.length > 0) {
                    FileSystem.write(file, bytes);
                }
                FileSystem.rename(target.directory(), temporary, target.directory(), target.name(), target.replaces());
            } catch (ErrnoException e) {
                FileSystem.removeFile(target.directory(), temporary);
                throw e;
            }
        } catch (ErrnoException e) {
            throw new AuditException(Code.OUTPUT_FAILED, target.shown() + " cannot be written: " + e.getMessage(), e);
        }
    }

    private static Optional<FileStatus> status(Fd directory, String name) {
        try {
            return Optional.of(FileSystem.status(directory, name));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private Fd hold(Fd directory) {
        open.add(directory);
        return directory;
    }

    private static AuditException refused(String why) {
        return new AuditException(Code.OUTPUT_FAILED, why + ".");
    }

    @Override
    public void close() {
        open.forEach(Fd::close);
    }
}
