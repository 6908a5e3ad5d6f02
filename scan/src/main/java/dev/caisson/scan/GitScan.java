package dev.caisson.scan;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.scan.git.GitObject;
import dev.caisson.scan.git.ObjectId;
import dev.caisson.scan.git.Repository;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Scans the history of a git repository: every blob once, however many commits and packs have it, and
/// the text of commits and tags. A finding names the file and the earliest commit, by date, that has
/// the blob. Objects that no commit leads to are scanned too.
public final class GitScan {
    private static final int DEEPEST = 256;
    private static final int TREE_NAME = 5;

    private record Commit(long seconds, ObjectId id, ObjectId tree) {}

    private static final ObjectId NO_ID = new ObjectId(0, 0, 0, 0, 0);
    private static final Optional<Home> KNOWN = Optional.of(new Home("", new Commit(0, NO_ID, NO_ID)));

    private record Home(String path, Commit commit) {}

    private final LeakScanner.Reader reader;
    private final Repository repository;
    private final String name;
    private final ScanSink sink;
    private final List<Commit> commits = new ArrayList<>();
    private final Map<ObjectId, Optional<Home>> leaking = new LinkedHashMap<>();
    private final Set<ObjectId> seen = new HashSet<>();
    private final Set<String> reported = new HashSet<>();
    private long unknown;

    private GitScan(LeakScanner scanner, Repository repository, String name, ScanSink sink) {
        this.reader = scanner.reader();
        this.repository = repository;
        this.name = name;
        this.sink = sink;
    }

    /// Scans a repository.
    /// @param path its working tree, or a bare repository
    /// @param name by which places call it
    /// @throws ScanException if there is none, or it cannot be read
    public static void scan(LeakScanner scanner, Path path, String name, ScanSink sink) {
        try {
            Repository repository = Repository.open(path, (what, why) -> sink.skipped(name + " " + what, why))
                    .orElseThrow(() -> new ScanException(
                            ScanException.Code.INPUT_MISSING,
                            name + " is no git repository: name a directory that has .git, or a bare repository"));
            try (repository) {
                new GitScan(scanner, repository, name, sink).run();
            }
        } catch (IOException e) {
            if (e.getCause() instanceof ErrnoException cause && cause.is(Errno.ENOENT)) {
                throw new ScanException(ScanException.Code.INPUT_MISSING, name + " is missing, or parts of it are", e);
            }
            throw new ScanException(
                    ScanException.Code.INPUT_UNREADABLE, name + " cannot be read: " + e.getMessage(), e);
        }
    }

    private void run() {
        repository.forEach(this::object);
        unknown = leaking.size();
        commits.sort(Comparator.comparingLong(Commit::seconds)
                .thenComparing(commit -> commit.id().toString()));
        for (Commit commit : commits) {
            if (unknown == 0) {
                break;
            }
            tree(commit.tree(), "", commit, 0);
        }
        leaking.entrySet().stream()
                .sorted(Comparator.comparingLong(entry ->
                        entry.getValue().map(home -> home.commit().seconds()).orElse(Long.MAX_VALUE)))
                .forEach(entry -> named(entry.getKey(), entry.getValue()));
    }

    /// Scans a blob by its name. What an earlier commit had in the same file, at whatever line, is known.
    private void named(ObjectId id, Optional<Home> home) {
        String file = home.map(Home::path).orElse("blob " + id.brief());
        String source =
                file + home.map(known -> "@" + known.commit().id().brief()).orElse(" of no commit");
        repository
                .read(id)
                .ifPresent(blob -> scan(source, blob.content(), new ScanSink() {
                    @Override
                    public void found(Leak leak) {
                        // passwords have no mark, by which two could be told apart
                        String mark =
                                leak.mark().isEmpty() ? "line " + leak.place().line() : leak.mark();
                        if (reported.add(String.join("\n", file, leak.rule().id(), leak.masked(), mark))) {
                            sink.found(leak);
                        }
                    }

                    @Override
                    public void skipped(String skippedSource, String why) {
                        sink.skipped(skippedSource, why);
                    }
                }));
    }

    private void scan(String source, byte[] content, ScanSink to) {
        reader.scan(name + "/" + source, new ByteArrayInputStream(content), to);
    }

    private void object(ObjectId id, GitObject object) {
        switch (object.kind()) {
            case BLOB -> blob(id, object.content());
            case COMMIT -> commit(id, object.content());
            case TAG -> scan("tag " + id.brief(), object.content(), sink);
            case TREE -> {
                // names are looked at when a blob in them has a secret
            }
        }
    }

    /// Only remembers that a blob has something; it is scanned again when its name is known.
    private void blob(ObjectId id, byte[] content) {
        scan("blob", content, new ScanSink() {
            @Override
            public void found(Leak leak) {
                leaking.put(id, Optional.empty());
            }

            @Override
            public void skipped(String source, String why) {
                leaking.put(id, Optional.empty());
            }
        });
    }

    private void commit(ObjectId id, byte[] content) {
        scan("commit " + id.brief(), content, sink);
        String text = new String(content, StandardCharsets.ISO_8859_1);
        int end = TREE_NAME + 2 * repository.idBytes();
        Optional<ObjectId> tree = text.startsWith("tree ") && text.length() > end
                ? ObjectId.parse(text.substring(TREE_NAME, end))
                : Optional.empty();
        tree.ifPresent(root -> commits.add(new Commit(seconds(text), id, root)));
    }

    private static long seconds(String commit) {
        int line = commit.indexOf("\ncommitter ");
        int end = commit.indexOf('\n', line + 1);
        if (line < 0 || end < 0) {
            return 0;
        }
        String[] words = commit.substring(line, end).split(" ", -1);
        String digits = words.length > 2 ? words[words.length - 2] : "";
        return digits.matches("\\d{1,15}") ? Long.parseLong(digits) : 0;
    }

    /// Gives the leaking blobs of a tree their names; a tree that an earlier commit had is not read
    /// again.
    private void tree(ObjectId id, String path, Commit commit, int depth) {
        if (depth > DEEPEST || unknown == 0 || !seen.add(id)) {
            return;
        }
        byte[] entries = repository
                .read(id)
                .filter(object -> object.kind() == GitObject.Kind.TREE)
                .map(GitObject::content)
                .orElse(new byte[0]);
        int at = 0;
        while (at < entries.length) {
            int end = at;
            while (end < entries.length && entries[end] != 0) {
                end++;
            }
            if (end + 1 + repository.idBytes() > entries.length) {
                return;
            }
            String entry = new String(entries, at, end - at, StandardCharsets.UTF_8);
            int blank = entry.indexOf(' ');
            String full = path + entry.substring(blank + 1);
            ObjectId object = ObjectId.of(entries, end + 1, repository.idBytes());
            if (entry.startsWith("40000 ")) {
                tree(object, full + "/", commit, depth + 1);
            } else if (leaking.getOrDefault(object, KNOWN).isEmpty()) {
                leaking.put(object, Optional.of(new Home(full, commit)));
                unknown--;
            }
            at = end + 1 + repository.idBytes();
        }
    }
}
