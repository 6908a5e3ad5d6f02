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
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.zip.InflaterInputStream;

/// The objects of a git repository, loose and in packs, gitrepository-layout(5). Nothing is run, and no
/// link inside is followed.
public final class Repository implements AutoCloseable {
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int MOST_LOOSE = 64 << 20;
    private static final int MOST_PACKS = 1000;
    private static final int MOST_BORROWED = 5;
    private static final int MOST_DIRECTORIES = 20;

    /// Directories of objects: its own, and those that it borrows from.
    private final List<Fd> objects = new ArrayList<>();
    private final int idBytes;
    private final List<Pack> packs = new ArrayList<>();
    private final BiConsumer<String, String> problems;

    /// Takes an object once.
    @FunctionalInterface
    public interface Visitor {
        void visit(ObjectId id, GitObject object);
    }

    private Repository(int idBytes, BiConsumer<String, String> problems) {
        this.idBytes = idBytes;
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
                var repository = new Repository(idBytes(git), problems);
                try {
                    Fd own = FileSystem.openAt(git, "objects", DIRECTORY, 0, BENEATH);
                    repository.openObjects(own, common.resolve("objects"), 0);
                    return Optional.of(repository);
                } catch (IOException | RuntimeException e) {
                    repository.close();
                    throw e;
                }
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

    private static int idBytes(Fd git) {
        Optional<Fd> config = FileSystem.find(git, "config", READ, BENEATH);
        if (config.isPresent()) {
            try (Fd file = config.get()) {
                String text = new String(FileSystem.read(file, 64 * 1024), StandardCharsets.ISO_8859_1);
                boolean other =
                        text.replaceAll("\\s", "").toLowerCase(Locale.ROOT).contains("objectformat=sha256");
                return other ? ObjectId.SHA256 : ObjectId.SHA1;
            }
        }
        return ObjectId.SHA1;
    }

    private void openObjects(Fd directory, Path path, int depth) throws IOException {
        objects.add(directory);
        openPacks(directory);
        if (FileSystem.findStatus(directory, "info/alternates").isEmpty()) {
            return;
        }
        if (depth >= MOST_BORROWED) {
            problems.accept("objects/info/alternates", "more than " + MOST_BORROWED + " repositories borrow in a row");
            return;
        }
        String lines;
        try (Fd file = FileSystem.openAt(directory, "info/alternates", READ, 0, BENEATH)) {
            lines = new String(FileSystem.read(file, 64 * 1024), StandardCharsets.UTF_8);
        }
        for (String line : lines.lines()
                .filter(text -> !text.isBlank() && !text.startsWith("#"))
                .toList()) {
            borrow(path.resolve(line), depth + 1);
        }
    }

    private void borrow(Path path, int depth) throws IOException {
        if (objects.size() >= MOST_DIRECTORIES) {
            problems.accept(
                    "objects/info/alternates", "it borrows from more than " + MOST_DIRECTORIES + " directories");
            return;
        }
        Fd directory;
        try {
            directory = FileSystem.open(path.toString(), DIRECTORY);
        } catch (ErrnoException e) {
            problems.accept("objects/info/alternates", "the objects that it borrows from " + path + " cannot be read");
            return;
        }
        openObjects(directory, path, depth);
    }

    private void openPacks(Fd objects) throws IOException {
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
                packs.add(new Pack(file, Arrays.copyOf(bytes, read), idBytes));
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
        for (int at = 0; at < objects.size(); at++) {
            for (String first : DirectoryEntries.directories(objects.get(at)).stream()
                    .sorted()
                    .toList()) {
                if (first.length() == 2) {
                    loose(at, first, visitor);
                }
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

    private void loose(int at, String first, Visitor visitor) {
        try (Fd directory = FileSystem.openAt(objects.get(at), first, DIRECTORY, 0, BENEATH)) {
            for (String rest :
                    DirectoryEntries.of(directory, 1_000_000).stream().sorted().toList()) {
                ObjectId.parse(first + rest)
                        .filter(id -> !isPacked(id, packs.size()) && !isLoose(id, at))
                        .ifPresent(id -> visit(id, () -> loose(directory, rest), visitor));
            }
        } catch (ErrnoException e) {
            problems.accept("objects/" + first, String.valueOf(e.getMessage()));
        }
    }

    /// True if one of the first directories has the object as a file of its own.
    private boolean isLoose(ObjectId id, int count) {
        String name = id.toString();
        String file = name.substring(0, 2) + "/" + name.substring(2);
        return objects.subList(0, count).stream()
                .anyMatch(directory -> FileSystem.findStatus(directory, file).isPresent());
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

    /// Returns the bytes of a name of an object.
    public int idBytes() {
        return idBytes;
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
            for (int at = 0; at < objects.size(); at++) {
                if (isLoose(id, at + 1)) {
                    try (Fd directory =
                            FileSystem.openAt(objects.get(at), name.substring(0, 2), DIRECTORY, 0, BENEATH)) {
                        return Optional.of(loose(directory, name.substring(2)));
                    }
                }
            }
            return Optional.empty();
        } catch (IOException | ErrnoException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        packs.forEach(Pack::close);
        objects.forEach(Fd::close);
    }
}
