package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.scan.git.GitObject;
import dev.caisson.scan.git.Repository;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Repositories are made with git(1) and read without it.
@Timeout(60)
class GitScanTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    Path root;

    private final String token = new Samples(5).fill("ghp_{w30}{crc}");
    private final String other = new Samples(6).fill("glpat-{s20}");
    private int day = 1;

    private void git(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("git", "-c", "user.name=a", "-c", "user.email=a@b"));
        command.addAll(List.of("-c", "init.defaultBranch=main", "-c", "gc.auto=0"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).directory(root.toFile()).redirectErrorStream(true);
        builder.environment().put("GIT_CONFIG_GLOBAL", "/dev/null");
        builder.environment().put("GIT_CONFIG_SYSTEM", "/dev/null");
        builder.environment().put("GIT_COMMITTER_DATE", "2026-01-%02dT00:00:00Z".formatted(day));
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private void commit(String file, String content) throws IOException, InterruptedException {
        Files.createDirectories(root.resolve(file).getParent());
        Files.writeString(root.resolve(file), content);
        git("add", "-A");
        git("commit", "-qm", "change " + file);
        day++;
    }

    private Collected scanned(Path path) {
        var collected = new Collected();
        GitScan.scan(new LeakScanner(RuleSet.own(), NOW), path, "r", collected);
        return collected;
    }

    private void makeHistory() throws IOException, InterruptedException {
        git("init", "-q");
        commit("conf/app.ini", "a\ntoken = " + token + "\n" + "x\n".repeat(500));
        commit("conf/app.ini", "a\ntoken = none\n" + "x\n".repeat(500));
        commit("conf/app.ini", "b\n\ntoken = " + token + "\n" + "x\n".repeat(400));
        commit("copy/late.ini", "a\ntoken = " + token + "\n" + "x\n".repeat(500));
        git("commit", "-q", "--allow-empty", "-m", "message with " + other);
    }

    @Test
    void every_kind_of_the_corpus_is_found_in_a_history_that_removed_it() throws Exception {
        git("init", "-q");
        var kinds = RecallTest.kinds();
        Files.createDirectories(root.resolve("conf"));
        for (var kind : kinds.entrySet()) {
            String value = new Samples(kind.getKey().hashCode()).fill(kind.getValue());
            Files.writeString(
                    root.resolve("conf/" + kind.getKey()),
                    "HOST=db\n" + kind.getKey() + "=\"" + value.replace("\n", "\\n") + "\"\nPORT=1\n");
        }
        git("add", "-A");
        git("commit", "-qm", "all");
        git("rm", "-rq", "conf");
        git("commit", "-qm", "none");
        git("gc", "-q", "--prune=now");

        List<String> places = scanned(root).places();

        assertThat(kinds.keySet())
                .allSatisfy(kind ->
                        assertThat(places).as(kind).anyMatch(place -> place.startsWith("r/conf/" + kind + "@")));
    }

    @Test
    void a_secret_of_a_file_that_is_gone_is_found_once_with_its_first_commit() throws Exception {
        makeHistory();

        Collected loose = scanned(root);
        git("gc", "-q", "--aggressive", "--prune=now");
        Collected packed = scanned(root);

        assertThat(loose.skipped).isEmpty();
        assertThat(packed.skipped).isEmpty();
        assertThat(loose.places())
                .hasSize(2)
                .anyMatch(place -> place.matches("r/conf/app\\.ini@[0-9a-f]{12}:2:9"))
                .anyMatch(place -> place.matches("r/commit [0-9a-f]{12}:\\d+:\\d+"));
        assertThat(packed.places()).isEqualTo(loose.places());
    }

    @Test
    void an_object_that_no_commit_leads_to_is_scanned_too() throws Exception {
        makeHistory();
        git("update-ref", "-d", "HEAD");
        Files.writeString(root.resolve("f"), "token = " + other);
        git("hash-object", "-w", "f");
        assertThat(scanned(root).places()).anyMatch(place -> place.matches("r/blob [0-9a-f]{12} of no commit:1:9"));
    }

    @Test
    void every_object_is_read_as_git_named_it() throws Exception {
        git("init", "-q");
        for (int i = 0; i < 12; i++) {
            commit(
                    "a/f",
                    Stream.iterate(i, n -> n + 7)
                            .limit(2000)
                            .map(n -> "line " + n + "\n")
                            .reduce("", String::concat));
        }
        git("gc", "-q", "--aggressive", "--prune=now");
        commit("a/g", "loose");

        List<String> wrong = new ArrayList<>();
        List<GitObject.Kind> kinds = new ArrayList<>();
        try (Repository repository =
                Repository.open(root, (what, why) -> wrong.add(what + why)).orElseThrow()) {
            repository.forEach((id, object) -> {
                kinds.add(object.kind());
                if (!name(object).equals(id.toString())
                        || repository
                                .read(id)
                                .filter(again -> name(again).equals(id.toString()))
                                .isEmpty()) {
                    wrong.add(id.toString());
                }
            });
        }
        assertThat(wrong).isEmpty();
        assertThat(kinds)
                .hasSizeGreaterThan(38)
                .contains(GitObject.Kind.COMMIT, GitObject.Kind.TREE, GitObject.Kind.BLOB);
    }

    private static String name(GitObject object) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-1");
            String head = object.kind().name().toLowerCase(Locale.ROOT) + " " + object.content().length + "\0";
            digest.update(head.getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(digest.digest(object.content()));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void damaged_packs_are_reported_and_end_nothing() throws Exception {
        makeHistory();
        git("gc", "-q", "--prune=now");
        try (Stream<Path> files = Files.list(root.resolve(".git/objects/pack"))) {
            for (Path pack :
                    files.filter(file -> file.toString().endsWith(".pack")).toList()) {
                byte[] bytes = Files.readAllBytes(pack);
                for (int at = 12; at < bytes.length; at += 9) {
                    bytes[at] ^= 0x5a;
                }
                Files.delete(pack);
                Files.write(pack, bytes);
            }
        }
        assertThat(scanned(root).skipped).isNotEmpty();
    }

    @Test
    void what_is_no_repository_is_refused() {
        assertThatThrownBy(() -> scanned(root))
                .isInstanceOf(ScanException.class)
                .hasMessageContaining("no git repository");
    }

    @Test
    void a_repository_that_names_objects_by_sha_256_is_read() throws Exception {
        git("init", "-q", "--object-format=sha256");
        commit("conf/app.ini", "a\ntoken = " + token + "\n" + "x\n".repeat(500));
        commit("conf/app.ini", "a\ntoken = none\n" + "x\n".repeat(500));
        git("commit", "-q", "--allow-empty", "-m", "message with " + other);
        List<String> loose = scanned(root).places();
        assertThat(loose).hasSize(2).anySatisfy(place -> assertThat(place).matches("r/conf/app.ini@[0-9a-f]{12}:2:9"));

        git("gc", "-q", "--prune=now");

        assertThat(scanned(root).places()).isEqualTo(loose);
    }

    @Test
    void objects_that_a_repository_borrows_are_scanned_as_its_own() throws Exception {
        Path lender = Files.createDirectories(root.resolve("lender"));
        Path borrower = root.resolve("borrower");
        Path whole = root;
        root = lender;
        makeHistory();
        List<String> own = scanned(lender).places();
        root = whole;
        git("clone", "-q", "--shared", lender.toString(), borrower.toString());

        Collected borrowed = scanned(borrower);

        assertThat(borrowed.places()).isEqualTo(own).isNotEmpty();
        assertThat(borrowed.skipped).isEmpty();

        // one that borrows from itself, and from nowhere
        Path alternates = borrower.resolve(".git/objects/info/alternates");
        Files.writeString(
                alternates,
                Files.readString(alternates) + borrower.resolve(".git/objects") + "\n/nonexistent/objects\n");
        Collected circle = scanned(borrower);
        assertThat(circle.places()).isEqualTo(own);
        assertThat(circle.skipped).anyMatch(why -> why.contains("/nonexistent/objects cannot be read"));
    }

    @Test
    void a_linked_working_tree_has_the_history_of_its_main_one(@TempDir Path elsewhere) throws Exception {
        makeHistory();
        git("worktree", "add", "-q", "-b", "side", elsewhere.resolve("w").toString());
        assertThat(scanned(elsewhere.resolve("w")).places())
                .isEqualTo(scanned(root).places());
    }
}
