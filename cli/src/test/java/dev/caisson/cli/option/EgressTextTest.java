package dev.caisson.cli.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Network;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class EgressTextTest {
    @TempDir
    private Path directory;

    private static Network network(String... words) {
        CommandSpec run = CommandSpec.create();
        var options = new RunOptions(run);
        new CommandLine(run)
                .parseArgs(Stream.concat(Stream.of(words), Stream.of("host", "true"))
                        .toArray(String[]::new));
        return options.spec().network();
    }

    @Test
    void a_file_is_read_as_editors_write_it() throws Exception {
        Path file = directory.resolve("reach.txt");
        Files.writeString(
                file,
                "\uFEFFexample.com:443\t# with a mark of its encoding\r\n\t10.0.0.0/8:5432 \r\n\r\n#\r\nExample.COM.:443\r\n");

        assertThat(network("--network", "web", "--egress", file.toString()))
                .isEqualTo(Network.on("web").egress(Egress.only("example.com:443", "10.0.0.0/8:5432")));
    }

    @Test
    void a_file_of_too_many_lines_is_refused_in_one_sentence() throws Exception {
        Path file = directory.resolve("long.txt");
        Files.writeString(
                file,
                IntStream.range(0, 10_000)
                        .mapToObj(i -> "h" + i + ".example.com:443\n")
                        .collect(Collectors.joining()));

        refused("--egress", "10000 destinations are too many", "--network", "web", "--egress", file.toString());
    }

    @Test
    void a_list_is_read_from_the_option_or_from_a_file() throws Exception {
        Path file = Files.writeString(directory.resolve("reach"), "# pages\nexample.com:443\n\n10.0.0.0/8:5432 # db\n");

        assertThat(network("--network", "web", "--egress", "example.com:443,10.0.0.0/8:5432"))
                .isEqualTo(network("--network", "web", "--egress", file.toString()))
                .isEqualTo(Network.on("web").egress(Egress.only("example.com:443", "10.0.0.0/8:5432")));
        assertThat(network("--network", "web", "--egress", "none"))
                .isEqualTo(Network.on("web").egress(Egress.none()));
        assertThat(network("--network", "web", "--egress", "all")).isEqualTo(Network.on("web"));
    }

    @Test
    void what_is_no_list_is_refused_by_name() throws Exception {
        Path file = Files.writeString(directory.resolve("reach"), "example.com\n");

        refused("--egress", "\"example.com\" is not a destination", "--network", "web", "--egress", "example.com");
        refused("--egress", "\"example.com\" is not a destination", "--network", "web", "--egress", file.toString());
        refused("--egress " + directory, "cannot be read", "--network", "web", "--egress", directory.toString());
        refused("--egress ./not-there", "there is no such file", "--network", "web", "--egress", "./not-there");
    }

    @Test
    void names_are_reached_by_greetings_if_that_is_wanted() {
        assertThat(network("--network", "web", "--egress-sni", "--egress", "example.com:443,10.0.0.0/8:5432"))
                .isEqualTo(Network.on("web").egress(Egress.parse("example.com:443/sni,10.0.0.0/8:5432")));
        refused("--egress-sni", "give --egress NAME:443", "--network", "web", "--egress-sni");
        refused("--egress-sni", "no name with port 443", "--network", "web", "--egress-sni", "--egress", "none");
        refused("--egress-sni", "loopback alone", "--egress-sni");
    }

    @Test
    void a_container_with_loopback_alone_has_no_list() {
        refused("--egress", "loopback alone", "--egress", "none");
        refused("--egress", "loopback alone", "--network", "none", "--egress", "all");
    }

    private static void refused(String beginning, String why, String... words) {
        assertThatThrownBy(() -> network(words))
                .isInstanceOf(CommandException.class)
                .hasMessageStartingWith(beginning)
                .hasMessageContaining(why);
    }
}
