package dev.caisson.build;

import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.dockerfile.DockerIgnore;
import dev.caisson.image.ImageException;
import dev.caisson.image.TarArchive;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A context, and the files of an image: what tests of copies have in common.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
abstract class Copying {
    static final Instant NOW = Instant.ofEpochSecond(1_000_000_000);

    @TempDir
    Path directory;

    Path context;
    Path image;
    final List<Fd> opened = new ArrayList<>();
    Optional<Source> ignore = Optional.empty();

    @BeforeEach
    void makeTrees() throws IOException {
        context = Files.createDirectory(directory.resolve("context"));
        image = Files.createDirectory(directory.resolve("image"));
        Files.createDirectories(image.resolve("etc"));
        Files.writeString(image.resolve("etc/passwd"), "app:x:1000:1001::/home/app:/bin/sh\n");
        Files.writeString(image.resolve("etc/group"), "www:x:33:\n");
    }

    @AfterEach
    void close() {
        opened.forEach(Fd::close);
    }

    static void file(Path path, String content, String mode) {
        try {
            Files.createDirectories(path.getParent());
            Files.writeString(path, content);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void file(String name) {
        file(context.resolve(name), name, "rw-r--r--");
    }

    FileTree tree(Path root, String name) {
        Fd fd = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        opened.add(fd);
        Optional<DockerIgnore> rules = ignore.filter(_ -> root.equals(context)).map(DockerIgnore::parse);
        return new FileTree(
                fd,
                name,
                path -> rules.filter(known -> known.excludes(path)).isPresent(),
                rules.filter(DockerIgnore::hasExceptions).isPresent());
    }

    byte[] archive(String line) throws IOException {
        List<BuildStep> steps = Plans.steps("FROM scratch", line);
        BuildStep step = steps.getLast();
        var copy = new CopyStep(
                (Operation.Copy) step.operation(),
                step.place(),
                tree(context, "the build context"),
                List.of(),
                this::unpacked);
        return LayerList.bytes(copy.layer(tree(image, "the image"), NOW), Optional.empty());
    }

    Optional<FileTree> unpacked(Fd file, String shown, TarArchive.Below below) {
        try {
            if (!TarArchive.isOne(file)) {
                return Optional.empty();
            }
            Path to = Files.createTempDirectory(directory, "unpacked");
            Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwxr-xr-x"));
            FileTree tree = tree(to, shown);
            TarArchive.unpack(file, shown, opened.getLast(), below);
            return Optional.of(tree);
        } catch (IOException e) {
            throw new BuildException("BUILD_ARCHIVE", shown + " is damaged: " + e.getMessage());
        } catch (ImageException e) {
            throw new BuildException(e.code(), e.sentence());
        }
    }

    /// The layer of a line, without the directories that were there.
    List<String> layer(String line) throws IOException {
        return LayerList.of(archive(line));
    }

    String code(String line) throws IOException {
        try {
            archive(line);
            return "none";
        } catch (BuildException e) {
            return e.code();
        }
    }

    String key(String line) {
        BuildStep step = Plans.steps("FROM scratch", line).getLast();
        var hash = new ContentHash();
        new CopyStep(
                        (Operation.Copy) step.operation(),
                        step.place(),
                        tree(context, "the build context"),
                        List.of(),
                        this::unpacked)
                .hash(hash);
        return hash.hex();
    }
}
