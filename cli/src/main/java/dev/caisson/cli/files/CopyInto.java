package dev.caisson.cli.files;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.ContainerFiles;
import dev.caisson.engine.CopyOptions;
import dev.caisson.engine.CopyReport;
import dev.caisson.engine.EngineException;
import dev.caisson.engine.FileEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// A copy from the host into a container, by docker's rules for what is there already.
final class CopyInto {
    private final ContainerFiles files;
    private final boolean followLink;
    private final CopyOptions options;

    CopyInto(ContainerFiles files, boolean followLink, CopyOptions options) {
        this.files = files;
        this.followLink = followLink;
        this.options = options;
    }

    CopyReport copy(CopyOperand from, CopyOperand to) throws IOException {
        String target = files.resolve(to.clean().toString(), true);
        Optional<FileEntry> there = find(files, target);
        boolean directory = there.filter(FileEntry::isDirectory).isPresent();
        if (from.isArchive()) {
            if (!directory) {
                throw CopyOperand.failure(
                        "COPY_DESTINATION", to.text(), "must be a directory for an archive: make it first");
            }
            return files.unpack(Caller.current().input(), target, options);
        }
        HostSource source = HostSource.of(from, followLink);
        if (to.mustBeDirectory() && !directory && (there.isPresent() || !source.directory())) {
            throw CopyOperand.failure(
                    "COPY_DESTINATION", to.text(), "is not a directory: make it first, or leave the slash out");
        }
        if (source.directory() && there.isPresent() && !directory) {
            throw CopyOperand.failure("COPY_DESTINATION", to.text(), "is a file: cannot copy a directory to it");
        }
        if (there.isEmpty() && !target.equals("/")) {
            requireDirectory(to, above(target));
        }
        boolean below = directory && !(source.directory() && from.isContents());
        String path = below ? (target.equals("/") ? "" : target) + "/" + source.name() : target;
        return files.copyIn(source.path(), path, options);
    }

    private static String above(String path) {
        int slash = path.lastIndexOf('/');
        return slash == 0 ? "/" : path.substring(0, slash);
    }

    private void requireDirectory(CopyOperand to, String above) {
        if (!find(files, above).filter(FileEntry::isDirectory).isPresent()) {
            throw CopyOperand.failure(
                    "COPY_DESTINATION",
                    to.text(),
                    "has no directory to stand in: make " + OneLine.of(above) + " first");
        }
    }

    static Optional<FileEntry> find(ContainerFiles files, String path) {
        try {
            return Optional.of(files.stat(path));
        } catch (EngineException e) {
            if (e.code().equals("FILE_NOT_FOUND")) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// A file or directory of the host that is copied.
    ///
    /// @param path without a link that is not to be copied as a link
    /// @param name that it keeps in a directory
    private record HostSource(Path path, String name, boolean directory) {
        static HostSource of(CopyOperand from, boolean followLink) throws IOException {
            Path clean = HostTarget.absolute(from);
            Path name = clean.getFileName();
            HostTarget.Kind kind = HostTarget.kind(clean, followLink || from.mustBeDirectory());
            if (kind == HostTarget.Kind.NONE) {
                throw CopyOperand.failure(
                        "COPY_SOURCE", from.text(), "does not exist: no such file or directory on the host");
            }
            if (from.mustBeDirectory() && kind != HostTarget.Kind.DIRECTORY) {
                throw CopyOperand.failure("COPY_SOURCE", from.text(), "is not a directory: leave the slash out");
            }
            boolean follows = followLink || from.mustBeDirectory();
            return new HostSource(
                    follows ? clean.toRealPath() : clean,
                    name == null ? "" : name.toString(),
                    kind == HostTarget.Kind.DIRECTORY);
        }
    }
}
