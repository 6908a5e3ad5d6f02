package dev.caisson.cli.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.image.ImageReference;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerPort;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Network;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.VolumeSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/// What `run` was told, as Docker reads it.
class RunOptionsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private static ContainerSpec spec(String... options) {
        CommandSpec run = CommandSpec.create();
        var wish = new RunOptions(run);
        new CommandLine(run)
                .setOverwrittenOptionsAllowed(true)
                .parseArgs(Stream.concat(Arrays.stream(options), Stream.of("host", "true"))
                        .toArray(String[]::new));
        return wish.spec();
    }

    private static Mount.Bind bind(String... options) {
        return (Mount.Bind) spec(options).mounts().getFirst();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"readonly", "ro", "readonly=true", "readonly=TRUE", "readonly=True", "ro=t", "ro=T", "ro=1"})
    void a_mount_that_is_asked_to_be_read_only_is(String flag) {
        assertThat(bind("--mount", "type=bind,source=/srv,target=/x," + flag).readOnly())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"readonly=false", "readonly=F", "ro=0", "ro=FALSE"})
    void a_mount_that_is_asked_to_be_writable_is(String flag) {
        assertThat(bind("--mount", "type=bind,source=/srv,target=/x," + flag).readOnly())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"readonly=yes", "readonly=", "ro=on", "readonly=tRUE", "ro=2", "readonly= true"})
    void what_is_no_boolean_never_mounts_anything(String flag) {
        for (String type : new String[] {"bind,source=/srv", "tmpfs"}) {
            assertThatThrownBy(() -> spec("--mount", "type=" + type + ",target=/x," + flag))
                    .isInstanceOf(CommandException.class)
                    .hasMessageContaining("is not a boolean: give true or false");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"--read-only", "--privileged", "--rm", "-i", "--init", "--best-effort", "--oom-kill-disable"})
    void a_flag_takes_no_value_but_a_boolean(String flag) {
        assertThatThrownBy(() -> spec(flag + "=yes")).hasMessageContaining("'yes' is not a boolean");
        spec(flag + "=T");
        spec(flag + "=0");
    }

    @Test
    void a_flag_follows_its_value() {
        assertThat(spec("--read-only=T").readOnlyRoot()).isTrue();
        assertThat(spec("--read-only=0").readOnlyRoot()).isFalse();
        assertThat(spec("--init=false").init()).isFalse();
        assertThat(spec("--no-init").init()).isFalse();
        assertThat(spec("--security-opt", "no-new-privileges=F").newPrivileges())
                .isTrue();
        assertThatThrownBy(() -> spec("--security-opt", "no-new-privileges=no")).hasMessageContaining("not a boolean");
    }

    @Test
    void of_an_option_that_is_repeated_the_last_one_counts() {
        ContainerSpec spec = spec(
                "-m",
                "1g",
                "-m",
                "2g",
                "--read-only",
                "--read-only",
                "--name",
                "a",
                "--name",
                "b",
                "--init=false",
                "--init");

        assertThat(spec.limits().memory()).isEqualTo(Bytes.parse("2g"));
        assertThat(spec.name()).hasValue("b");
        assertThat(spec.readOnlyRoot()).isTrue();
        assertThat(spec.init()).isTrue();
    }

    @Test
    void h_is_the_host_name() {
        assertThat(spec("-h", "box").hostName()).hasValue("box");
    }

    @Test
    void a_host_path_may_be_relative() {
        Path here = Path.of("").toAbsolutePath();

        assertThat(bind("-v", "./a:/x").source()).isEqualTo(here.resolve("a"));
        assertThat(bind("-v", ".:/x").source()).isEqualTo(here);
        assertThat(bind("-v", "../a:/x").source()).isEqualTo(here.resolveSibling("a"));
        assertThat(bind("--mount", "type=bind,src=./a,dst=/x").source()).isEqualTo(here.resolve("a"));
    }

    @Test
    void a_volume_has_a_name_or_is_new() {
        var named = Optional.of(new VolumeName("data"));
        assertThat(spec("-v", "data:/x").mounts())
                .containsExactly(new Mount.Volume(named, InRootPath.of("x"), false, true));
        assertThat(spec("-v", "data:/x:ro,nocopy").mounts())
                .containsExactly(new Mount.Volume(named, InRootPath.of("x"), true, false));
        assertThat(spec("-v", "/x").mounts())
                .containsExactly(new Mount.Volume(Optional.empty(), InRootPath.of("x"), false, true));
        assertThat(spec("--mount", "src=data,dst=/x,readonly,volume-nocopy").mounts())
                .containsExactly(new Mount.Volume(named, InRootPath.of("x"), true, false));
        assertThat(spec("--mount", "type=volume,target=/x").mounts())
                .containsExactly(new Mount.Volume(Optional.empty(), InRootPath.of("x"), false, true));
    }

    @Test
    void a_host_path_that_the_jvm_cannot_hold_is_refused_by_name() {
        for (String[] options : new String[][] {
            {"-v", "/srv/\udcff:/x"},
            {"-v", "./\udcff:/x"},
            {"--mount", "type=bind,src=/srv/\udcff,dst=/x"},
            {"--device", "/dev/\udcff"},
            {"--device-read-bps", "/dev/\udcff:1m"}
        }) {
            assertThatThrownBy(() -> spec(options))
                    .isInstanceOf(CommandException.class)
                    .hasMessageContaining("/\\xff is not UTF-8: rename it");
        }
    }

    @Test
    void mounts_of_volumes_and_images_are_read_in_docker_s_words() {
        assertThat(spec("--mount", "src=data,dst=/x,volume-subpath=a/b,volume-opt=size=32m,volume-label=k=v")
                        .mounts())
                .containsExactly(new Mount.Volume(Optional.of(new VolumeName("data")), InRootPath.of("x"), false, true)
                        .subpath(InRootPath.of("a/b"))
                        .made(VolumeSpec.unnamed().size("32m").label("k", "v")));
        assertThat(spec("--mount", "type=image,source=tools:1,target=/x,image-subpath=/opt/")
                        .mounts())
                .containsExactly(new Mount.ImageFiles(
                        ImageReference.parse("tools:1"), InRootPath.of("x"), Optional.of(InRootPath.of("opt"))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "type=image,dst=/x | named by source",
                "type=image,src=a b,dst=/x | the source: ",
                "type=image,src=a,dst=/x,readonly=false | mounted to be read",
                "type=image,src=a,dst=/x,image-subpath=../y | image-subpath: path",
                "type=image,src=a,dst=/x,volume-nocopy | for another type than image",
                "type=volume,src=data,dst=/x,image-subpath=a | for another type than volume",
                "type=bind,src=/srv,dst=/x,volume-opt=size=1g | for another type than bind",
                "type=volume,dst=/x,volume-subpath=a | name a volume by source",
                "type=volume,dst=/x,volume-opt=device=/dev/sda | mounts a file system of the host",
                "type=volume,dst=/x,volume-opt=speed=1 | takes size=SIZE",
                "type=volume,dst=/x,volume-opt=inodes=x | takes a number",
                "type=volume,dst=/x,volume-driver=nfs | is local",
                "type=bind,src=/srv,dst=/x,bind-propagation=rshared | rprivate",
                "type=bind,src=/srv,dst=/x,bind-recursive=disabled | not part of this version",
                "type=tmpfs,src=/srv,dst=/x | has no source",
                "type=cluster,dst=/x | the type is volume, bind, tmpfs or image",
                "type=image,src=a,src=b,dst=/x | given twice",
                "type=image,src=a,dst=/x,subpath=a | has no key 'subpath'"
            })
    void a_mount_that_cannot_be_is_refused_by_name(String mount, String sentence) {
        assertThatThrownBy(() -> spec("--mount", mount)).hasMessageContaining(sentence);
    }

    @Test
    void a_mount_is_a_line_of_csv_whose_keys_have_any_case() {
        assertThat(bind("--mount", "Type=bind,\"source=/srv/a,\"\"b\"\"\",TARGET=/x")
                        .source())
                .isEqualTo(Path.of("/srv/a,\"b\""));
        assertThat(spec("--mount", "\"SRC=data\",\"dst=/x,y\"").mounts())
                .isEqualTo(spec("-v", "data:/x,y").mounts());
        for (String wrong : List.of("\"src=data,dst=/x", "\"src=data\"a,dst=/x", "sr\"c=data,dst=/x")) {
            assertThatThrownBy(() -> spec("--mount", wrong)).hasMessageContaining("quote");
        }
    }

    @Test
    void flags_of_a_volume_may_be_several() {
        assertThat(bind("-v", "/srv:/x:ro,z").readOnly()).isTrue();
        assertThat(bind("-v", "/srv:/x:z").readOnly()).isFalse();
        assertThatThrownBy(() -> spec("-v", "/srv:/x:ro,rw")).hasMessageContaining("give one");
        assertThatThrownBy(() -> spec("-v", "/srv:/x:RO")).hasMessageContaining("not 'RO'");
        assertThatThrownBy(() -> spec("-v", "/srv:/x:rshared")).hasMessageContaining("not 'rshared'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "=", "=x"})
    void a_variable_has_a_name(String variable) {
        assertThatThrownBy(() -> spec("-e", variable)).hasMessageContaining("a variable has a name");
    }

    @Test
    void a_file_of_variables_is_no_script() throws IOException {
        Path file = Files.writeString(
                directory.resolve("env"), "\uFEFF# comment\n  A=1\nB= two \n\nPATH\nNOT_HERE_AT_ALL\n");

        assertThat(spec("--env-file", file.toString()).environment())
                .containsEntry("A", "1")
                .containsEntry("B", " two ")
                .containsEntry("PATH", System.getenv("PATH"))
                .doesNotContainKey("NOT_HERE_AT_ALL");
        assertThat(spec("--env-file", "/dev/null").environment()).isEmpty();
        for (String line : new String[] {"export D=4", "A B=1", "=1", "D\t=1"}) {
            Files.writeString(file, line);
            assertThatThrownBy(() -> spec("--env-file", file.toString())).isInstanceOf(CommandException.class);
        }
        Files.write(file, new byte[] {'A', '=', (byte) 0xff});
        assertThat(spec("--env-file", file.toString()).environment()).containsEntry("A", "\udcff");
    }

    @Test
    void labels_come_from_files_and_options_and_the_last_one_wins() throws IOException {
        Path file = Files.writeString(directory.resolve("labels"), "# of the team\n team=core\nnote=a b\nempty\n");

        assertThat(spec("--label-file", file.toString(), "-l", "team=other").labels())
                .containsExactlyInAnyOrderEntriesOf(Map.of("team", "other", "note", "a b", "empty", ""));
        Files.writeString(file, "a b=1");
        assertThatThrownBy(() -> spec("--label-file", file.toString())).hasMessageContaining("holds white space");
        assertThatThrownBy(() -> spec("--label-file", "/no/such/file")).hasMessageContaining("cannot be read");
    }

    @Test
    void more_processors_than_there_are_is_refused() {
        int processors = Runtime.getRuntime().availableProcessors();

        assertThat(spec("--cpus", Integer.toString(processors)).limits().cpuQuota())
                .isPresent();
        assertThatThrownBy(() -> spec("--cpus", processors + ".01")).hasMessageContaining("are available");
    }

    @Test
    void groups_are_added() {
        assertThat(spec("--group-add", "audio", "--group-add", "44").addedGroups())
                .containsExactly("audio", "44");
    }

    @Test
    void services_of_the_host_are_opened_port_by_port() {
        ContainerSpec spec = spec(
                "--network",
                "web",
                "--allow",
                "host-services=5432,53/udp,host-paths",
                "--allow",
                "host-services=8000-8001",
                "--add-host",
                "db:host-gateway",
                "--add-host",
                "other=192.0.2.7");
        Network.Joined joined = (Network.Joined) spec.network();
        assertThat(joined.hostServices().ports())
                .extracting(ContainerPort::toString)
                .containsExactly("5432/tcp", "53/udp", "8000/tcp", "8001/tcp");
        assertThat(joined.hostServices().names()).containsExactly("db");
        assertThat(joined.names().hosts()).extracting(Object::toString).containsExactly("other:192.0.2.7");
        assertThat(spec.allowances()).containsExactlyInAnyOrder(Allowance.HOST_SERVICES, Allowance.HOST_PATHS);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    --network=web --allow=host-services              | port by port
                    --network=web --allow=host-services=             | host-services
                    --network=web --allow=host-services=http         | http
                    --network=web --allow=5432                       | --allow knows no '5432'
                    --network=web --allow=host-services=80,x         | --allow knows no 'x'
                    --network=web --add-host=db:host-gateway         | --allow host-services=PORT
                    --network=none --allow=host-services=80          | loopback alone
                    --network=container:web --allow=host-services=80 | shares the network of web
                    --network=container:web -p=80:80                 | shares the network of web
                    --network=container:web --egress=none            | shares the network of web
                    --network=container:web --dns=192.0.2.7          | shares the network of web
                    --network=container:web --network=bridge         | name it alone
                    --network=bridge --network=container:web         | name it alone
                    --network=none --network=bridge                  | name it alone
                    --network=container:                             | container:NAME
                    --network=container:a/b                          | container:NAME
                    --network=container:web --network-bandwidth=1m   | shares the network of web
                    --network=none --network-bandwidth=1m            | loopback alone
                    --network=host -p=80:80                          | in the host's network
                    --network=host --network-alias=a                 | in the host's network
                    --network=host --ip=10.1.1.1                     | in the host's network
                    --network=host --mac-address=02:00:00:00:00:01   | in the host's network
                    --network=host --link=db                         | in the host's network
                    --network=host --egress=none                     | in the host's network
                    --network=host --add-host=h:host-gateway         | 127.0.0.1
                    --network=host --network=bridge                  | name it alone
                    --network=web --dns=0.0.0.0                      | --dns: a DNS server
                    --network=web --dns=example.com                  | --dns: "example.com"
                    --network=web --dns-search=a..b.                 | --dns-search: search domain
                    --network=web --dns-option=Ndots                 | --dns-option: DNS option
                    --network=host --dns=::                          | --dns: a DNS server
                    --network=web -p=0.0.0.0:80-79:80                | --publish
                    --network=web --network-bandwidth=1b             | 10mbit
                    --network=web --network-bandwidth=1kbit          | 64kbit
                    """)
    void what_a_network_cannot_have_is_refused(String options, String why) {
        assertThatThrownBy(() -> spec(options.strip().split(" ", -1)))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(why);
    }

    @Test
    void in_the_network_of_the_host_names_are_looked_up_as_one_says() {
        assertThat(spec("--network=host", "--dns=192.0.2.53", "--add-host=db:192.0.2.7", "--allow=host-network"))
                .satisfies(spec -> assertThat(spec.allowances()).containsExactly(Allowance.HOST_NETWORK))
                .satisfies(spec -> assertThat(spec.network())
                        .isInstanceOfSatisfying(
                                Network.Host.class,
                                host -> assertThat(host.names().hosts()).hasSize(1)));
    }

    @Test
    void the_network_of_a_container_is_named_alone() {
        assertThat(spec("--network", "container:web").network()).isEqualTo(Network.ofContainer("web"));
    }
}
