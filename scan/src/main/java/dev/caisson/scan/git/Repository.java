package dev.caisson.scan.git;

import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.zip.InflaterInputStream;

/// The objects of a git repository, loose and in packs, gitrepository-layout(5). Nothing is run, and no link inside is
/// followed.
public final class Repository implements AutoCloseable {
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int MOST_LOOSE = 64 << 20;
    private static final int MOST_PACKS = 1000;

    private final Fd objects;
    private final List<Pack> packs = new ArrayList<>();
    private final BiConsumer<String, String> problems;

    /// Takes an object once.
    @FunctionalInterface
    public interface Visitor {
        void visit(ObjectId id, GitObject object);
    }

    private Repository(Fd objects, BiConsumer<String, String> problems) {
        this.objects = objects;
        this.problems = problems;
    }

    /// Opens a repository: its working tree, a linked one, or a bare one.
    /// @param problems takes what cannot be read, and why
    /// @return empty if there is no repository
    /// @throws IOException if it cannot be read here
    public static Optional<Repository> open(Path path, BiConsumer<String, String> problems) throws IOException {
        try (Fd directory = FileSystem.open(path.toString(), DIRECTORY)) {
            Optional<Path> found = gitDirectory(path, directory);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            Path common = common(found.get());
            try (Fd git = FileSystem.open(common.toString(), DIRECTORY)) {
                refuseOthers(git);
                var repository = new Repository(FileSystem.openAt(git, "objects", DIRECTORY, 0, BENEATH), problems);
                repository.openPacks();
                return Optional.of(repository);
            }
        } catch (ErrnoException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static Optional<Path> gitDirectory(Path path, Fd directory) {
        if (FileSystem.isDirectory(directory, ".git")) {
            return Optional.of(path.resolve(".git"));
        }
        if (FileSystem.isDirectory(directory, "objects")
                && FileSystem.findStatus(directory, "HEAD").isPresent()) {
            return Optional.of(path);
        }
        return FileSystem.findStatus(directory, ".git")
                .filter(status -> status.isRegularFile())
                .map(status -> FileSystem.readText(directory, ".git").strip())
                .filter(text -> text.startsWith("gitdir: "))
                .map(text -> path.resolve(text.substring("gitdir: ".length())));
    }

    /// A linked working tree has its objects where its main one has them.
    private static Path common(Path git) {
        try (Fd directory = FileSystem.open(git.toString(), DIRECTORY)) {
            return FileSystem.findStatus(directory, "commondir").isPresent()
                    ? git.resolve(FileSystem.readText(directory, "commondir").strip())
                            .normalize()
                    : git;
        }
    }

    private static void refuseOthers(Fd git) throws IOException {
        Optional<Fd> config = FileSystem.find(git, "config", READ, BENEATH);
        if (config.isPresent()) {
            try (Fd file = config.get()) {
                String text = new String(FileSystem.read(file, 64 * 1024), StandardCharsets.ISO_8859_1);
                if (text.replaceAll("\\s", "").contains("objectformat=sha256")) {
                    throw new GitFormatException("the repository names objects by SHA-256, which is not read here");
                }
            }
        }
    }

    private void openPacks() throws IOException {
        if (FileSystem.findStatus(objects, "info/alternates").isPresent()) {
            problems.accept("objects/info/alternates", "objects of other repositories that it borrows are not read");
        }
        if (!FileSystem.isDirectory(objects, "pack")) {
            return;
        }
        try (Fd directory = FileSystem.openAt(objects, "pack", DIRECTORY, 0, BENEATH)) {
            for (String name :
                    DirectoryEntries.of(directory, 100_000).stream().sorted().toList()) {
                if (name.endsWith(".idx") && packs.size() < MOST_PACKS) {
                    openPack(directory, name);
                }
            }
        }
    }

    private void openPack(Fd directory, String name) {
        String packName = name.substring(0, name.length() - 3) + "pack";
        try (Fd index = FileSystem.openAt(directory, name, READ, 0, BENEATH)) {
            long size = FileSystem.status(index).size();
            if (size > Pack.longestIndex()) {
                throw new GitFormatException("it has too many objects");
            }
            var bytes = new byte[(int) size];
            int read = FileContent.readAt(index, bytes, 0);
            Fd file = FileSystem.openAt(directory, packName, READ, 0, BENEATH);
            try {
                packs.add(new Pack(file, Arrays.copyOf(bytes, read)));
            } catch (IOException | RuntimeException e) {
                file.close();
                throw e;
            }
        } catch (IOException | ErrnoException e) {
            problems.accept("objects/pack/" + packName, String.valueOf(e.getMessage()));
        }
    }

    /// Gives every object to the visitor, each once, one after the other.
    public void forEach(Visitor visitor) {
        for (int at = 0; at < packs.size(); at++) {
            Pack pack = packs.get(at);
            try {
                for (int number : pack.inOrder()) {
                    ObjectId id = pack.id(number);
                    if (!isPacked(id, at)) {
                        visit(id, () -> pack.read(number), visitor);
                    }
                }
            } catch (IOException e) {
                problems.accept("a pack", String.valueOf(e.getMessage()));
            }
        }
        for (String first :
                DirectoryEntries.directories(objects).stream().sorted().toList()) {
            if (first.length() == 2) {
                loose(first, visitor);
            }
        }
    }

    private interface Reading {
        GitObject read() throws IOException;
    }

    private void visit(ObjectId id, Reading reading, Visitor visitor) {
        GitObject object;
        try {
            object = reading.read();
        } catch (IOException | ErrnoException e) {
            problems.accept("object " + id.brief(), String.valueOf(e.getMessage()));
            return;
        }
        visitor.visit(id, object);
    }

    /// True if one of the first packs has the object.
    private boolean isPacked(ObjectId id, int count) {
        return packs.subList(0, count).stream().anyMatch(pack -> pack.find(id).isPresent());
    }

    private void loose(String first, Visitor visitor) {
        try (Fd directory = FileSystem.openAt(objects, first, DIRECTORY, 0, BENEATH)) {
            for (String rest :
                    DirectoryEntries.of(directory, 1_000_000).stream().sorted().toList()) {
                ObjectId.parse(first + rest)
                        .filter(id -> !isPacked(id, packs.size()))
                        .ifPresent(id -> visit(id, () -> loose(directory, rest), visitor));
            }
        } catch (ErrnoException e) {
            problems.accept("objects/" + first, String.valueOf(e.getMessage()));
        }
    }

    private static GitObject loose(Fd directory, String name) throws IOException {
        try (Fd file = FileSystem.openAt(directory, name, READ, 0, BENEATH)) {
            long size = FileSystem.status(file).size();
            if (size > MOST_LOOSE) {
                throw new GitFormatException("an object is larger than 64 MiB");
            }
            var packed = new byte[(int) size];
            int read = FileContent.readAt(file, packed, 0);
            try (InputStream in =
                    new BufferedInputStream(new InflaterInputStream(new ByteArrayInputStream(packed, 0, read)))) {
                var head = new StringBuilder();
                for (int c = in.read(); c > 0 && head.length() < 40; c = in.read()) {
                    head.append((char) c);
                }
                byte[] content = in.readNBytes(MOST_LOOSE + 1);
                if (content.length > MOST_LOOSE) {
                    throw new GitFormatException("an object is larger than 64 MiB");
                }
                return new GitObject(GitObject.Kind.named(head.toString().split(" ", 2)[0]), content);
            }
        }
    }

    /// Reads one object; empty if it is not there or cannot be read.
    public Optional<GitObject> read(ObjectId id) {
        try {
            for (Pack pack : packs) {
                Optional<Integer> number = pack.find(id);
                if (number.isPresent()) {
                    return Optional.of(pack.read(number.get()));
                }
            }
            String name = id.toString();
            try (Fd directory = FileSystem.openAt(objects, name.substring(0, 2), DIRECTORY, 0, BENEATH)) {
                return Optional.of(loose(directory, name.substring(2)));
            }
        } catch (IOException | ErrnoException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        packs.forEach(Pack::close);
        objects.close();
    }
}
