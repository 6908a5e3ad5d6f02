package dev.caisson.cli.files;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.StandardStream;
import dev.caisson.engine.ContainerFiles;
import dev.caisson.engine.CopyOptions;
import dev.caisson.engine.CopyReport;
import dev.caisson.engine.FileEntry;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Path;

/// A copy from a container to the host, by docker's rules for what is there already.
final class CopyOutOf {
    private final ContainerFiles files;
    private final boolean followLink;
    private final CopyOptions options;

    CopyOutOf(ContainerFiles files, boolean followLink, CopyOptions options) {
        this.files = files;
        this.followLink = followLink;
        this.options = options;
    }

    CopyReport copy(CopyOperand from, CopyOperand to) throws IOException {
        String source = files.resolve(from.clean().toString(), followLink || from.mustBeDirectory());
        FileEntry entry = files.stat(source);
        if (from.mustBeDirectory() && !entry.isDirectory()) {
            throw CopyOperand.failure("COPY_SOURCE", from.text(), "is not a directory: leave the slash out");
        }
        Path last = from.clean().getFileName();
        String name = last == null ? "." : last.toString();
        boolean contents = entry.isDirectory() && from.isContents();
        if (to.isArchive()) {
            return pack(source, contents ? "." : name);
        }
        return files.copyOut(source, target(entry, name, contents, to), options);
    }

    private CopyReport pack(String source, String name) throws IOException {
        StandardStream output = Caller.current().output();
        if (dev.caisson.linux.Terminal.isTerminal(Caller.current().descriptor(1))) {
            throw new CommandException(
                    "COPY_TERMINAL", FileCopy.FAILED, "an archive is not written to a terminal: redirect the output");
        }
        var buffered = new BufferedOutputStream(output, 128 * 1024);
        CopyReport report = files.pack(source, name, buffered, options);
        buffered.flush();
        return report;
    }

    private static Path target(FileEntry entry, String name, boolean contents, CopyOperand to) throws IOException {
        Path path = HostTarget.behindLinks(HostTarget.absolute(to));
        HostTarget.Kind there = HostTarget.kind(path, true);
        if (there == HostTarget.Kind.DIRECTORY) {
            Path real = path.toRealPath();
            return contents ? real : real.resolve(name);
        }
        if (there == HostTarget.Kind.OTHER && entry.isDirectory()) {
            throw CopyOperand.failure("COPY_DESTINATION", to.text(), "is a file: cannot copy a directory to it");
        }
        if (to.mustBeDirectory() && !entry.isDirectory()) {
            throw CopyOperand.failure(
                    "COPY_DESTINATION", to.text(), "is not a directory: make it first, or leave the slash out");
        }
        return path;
    }
}
