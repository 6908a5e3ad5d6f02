package dev.caisson.cli.container;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.AnswerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// The same words that fail, given to this command line and to Docker's: both end with the same status, unless a
/// [Difference] says otherwise.
@Tag("peers")
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class DockerStatusTest {
    /// The container `runs` runs and uses the volume `vol`; `made` never ran, nobody is on the network `net`, and `box`
    /// is an image. BROKEN is a file, and `B_A_D` has spaces.
    private static final String SAME = """
            rmi
            rmi nosuch:1
            rmi --colour box
            image rm nosuch
            tag nosuch:1 b:2
            tag box B_A_D
            tag box
            history nosuch
            image inspect nosuch
            save
            save nosuch
            save -o /nosuch/x box
            load -i /nosuch/file
            load -i BROKEN
            image load -i BROKEN
            import
            import /nosuch/file
            import BROKEN
            pull
            pull localhost:1/nosuch:1
            pull B_A_D
            push localhost:1/nosuch:1
            push nosuch
            images --filter colour=red
            images --format {{.Nothing}}
            images --format {{.
            images --colour
            image nosuch
            volume rm
            volume rm vol
            volume rm nosuch
            volume rm -f nosuch
            volume inspect nosuch
            volume inspect -f {{.Nothing}} vol
            volume inspect -f {{. vol
            volume create b_a_d
            volume create --driver nosuch v9
            volume create vol
            volume ls --filter colour=red
            volume ls --format {{.
            volume ls --colour
            volume prune -f --filter colour=red
            volume nosuch
            network rm
            network rm nosuch
            network inspect nosuch
            network create
            network create net
            network create --subnet bad n2
            network create --driver nosuch n2
            network connect nosuch runs
            network connect net nosuch
            network connect net runs
            network connect net
            network connect --colour net runs
            network connect --ip bad net made
            network disconnect net runs
            network disconnect nosuch runs
            network disconnect net nosuch
            network ls --filter colour=red
            network ls --format {{.
            network prune -f --filter colour=red
            network nosuch
            commit nosuch x:1
            commit runs B_A_D
            ps --filter colour=red
            ps --format {{.
            ps --format {{.Nothing}}
            ps --colour
            ps extra
            inspect
            inspect -f {{.Nothing}} runs
            inspect -f {{. runs
            inspect --type nosuch runs
            logs
            logs --since never runs
            logs --colour runs
            rename runs
            rename runs b_a_d
            rename runs made
            top
            top nosuch
            top made
            cp
            cp runs:/nosuch /tmp/nosuch
            cp /nosuch runs:/tmp
            cp runs:/a made:/b
            diff nosuch
            export nosuch
            wait
            wait nosuch
            kill -s NOSIG runs
            kill made
            stop --signal NOSIG runs
            start nosuch
            restart nosuch
            pause made
            unpause runs
            update runs
            update --memory 1k runs
            update --restart bad runs
            port runs 80
            port runs bad
            attach made
            rm
            rm runs
            rm nosuch
            events --since bad
            system df --format {{.
            system df --colour
            system nosuch
            version extra
            stats --no-stream nosuch
            container prune -f --filter colour=red
            container nosuch
            exec runs /etc
            exec --colour runs true
            run --memory bad box
            run box nosuch
            run --name runs box true
            nosuch
            --colour
            """;

    /// Deliberate differences: what is given, and Docker's status and ours.
    private enum Difference {
        A_REFUSED_PROGRAM_IS_125(1, 125, """
                exec nosuch true
                exec made true
                exec runs
                create
                create --name runs box true
                run
                """),
        A_USER_OR_DIRECTORY_THAT_IS_NOT_THERE_IS_OUR_REFUSAL(126, 125, """
                exec -u nosuch runs true
                exec -w nosuch runs true
                """),
        A_MISSING_PROGRAM_IS_127_IN_EXEC_AS_IN_RUN(126, 127, "exec runs nosuch"),
        A_VALUE_IS_READ_BY_THE_COMMAND_AND_NOT_BEFORE_IT(125, 1, """
                update --memory bad runs
                stop -t bad runs
                restart -t bad runs
                """),
        A_GROUP_WITHOUT_A_COMMAND_IS_A_MISTAKE(0, 1, """
                container
                image
                network
                system
                volume
                """),
        WHAT_IS_NOT_UNDERSTOOD_IS_NEVER_PASSED_OVER(0, 1, """
                logs --tail bad runs
                events --filter colour=red --since 0 --until 1
                network create b_a_d
                """);

        private final int dockers;
        private final int ours;
        private final String lines;

        Difference(int dockers, int ours, String lines) {
            this.dockers = dockers;
            this.ours = ours;
            this.lines = lines;
        }
    }

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path directory;

    @SuppressWarnings("NullAway.Init") // set before the first test
    private static DockerDaemon daemon;

    @SuppressWarnings("NullAway.Init") // set before the first test
    private static AnswerProcess ours;

    @BeforeAll
    static void makeObjectsOfBoth() throws Exception {
        daemon = DockerDaemon.start(Files.createDirectory(directory.resolve("docker")));
        ours = AnswerProcess.start(Files.createDirectory(directory.resolve("own")));
        Files.writeString(directory.resolve("broken"), "no archive ".repeat(200));
        Path archive = directory.resolve("root.tar");
        assertThat(new ProcessBuilder("tar", "-C", directory + "/docker/root", "-cf", archive.toString(), ".")
                        .start()
                        .waitFor())
                .isZero();
        String objects = "import " + archive + """
                 box
                volume create vol
                network create net
                create --name made --network none box true
                run -d --name runs --network none -v vol:/data box sleep 9999
                """;
        objects.lines().forEach(line -> {
            assertThat(daemon.docker(words(line))).as(line).satisfies(DockerStatusTest::succeeds);
            assertThat(ours.answer(words(line))).as(line).satisfies(DockerStatusTest::succeeds);
        });
    }

    @AfterAll
    static void removeThem() {
        ours.answer("rm", "-f", "runs", "made");
        ours.close();
        daemon.docker("rm", "-f", "runs", "made");
        daemon.close();
    }

    @Test
    void what_fails_ends_with_the_status_of_dockers_client() {
        var differing = new ArrayList<String>();
        SAME.lines().forEach(line -> {
            Answer dockers = daemon.docker(words(line));
            Answer own = ours.answer(words(line));
            if (dockers.status() != own.status()) {
                differing.add(line + ": " + dockers + ", but " + own);
            }
        });

        assertThat(differing).isEmpty();
    }

    @Test
    void every_difference_is_one() {
        var others = new ArrayList<String>();
        for (Difference difference : Difference.values()) {
            difference.lines.lines().forEach(line -> {
                Answer dockers = daemon.docker(words(line));
                Answer own = ours.answer(words(line));
                if (dockers.status() != difference.dockers || own.status() != difference.ours) {
                    others.add(difference + ": " + line + ": " + dockers + ", but " + own);
                }
            });
        }

        assertThat(others).isEmpty();
    }

    private static void succeeds(Answer answer) {
        assertThat(answer.status()).isZero();
    }

    private static String[] words(String line) {
        return Arrays.stream(line.strip().split(" ", -1))
                .map(word -> word.replace("BROKEN", directory + "/broken"))
                .map(word -> word.equalsIgnoreCase("b_a_d") ? word.replace('_', ' ') : word)
                .toArray(String[]::new);
    }
}
