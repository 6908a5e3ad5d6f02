package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.BufferedReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// CVE-2020-15257: the engine's parts talk through abstract unix sockets, which belong to a network namespace and ask
/// nobody for permission.
class Cve2020_15257Test extends BusyboxEngine {
    private static final String NAME = "caisson-test-" + ProcessHandle.current().pid();
    private static final String ADDRESS = "use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0) or die; "
            + "my $name = pack_sockaddr_un(\"\\0" + NAME + "\"); ";
    private static final String SERVER =
            ADDRESS + "bind(S, $name) or die; listen(S, 5); $| = 1; print \"bound\\n\"; accept(C, S) while 1;";
    private static final String CLIENT = ADDRESS + "print connect(S, $name) ? \"reached\\n\" : \"refused\\n\";";

    @Test
    void the_engine_and_its_zygote_have_no_socket_with_a_name() throws Exception {
        Container container = engine.start(busybox("sleep", "100"), Streams.capture());
        try {
            assertThat(HostSockets.named()).isEmpty();
            try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                Path socket = directory.resolve("socket");
                server.bind(UnixDomainSocketAddress.of(socket));
                assertThat(HostSockets.named()).as("a socket is found").hasSize(1);
            }
        } finally {
            container.kill();
            container.await();
        }
    }

    @Test
    void an_abstract_socket_of_the_host_cannot_be_reached() throws Exception {
        Process server = new ProcessBuilder("perl", "-e", SERVER).start();
        try (BufferedReader output = server.inputReader()) {
            assertThat(output.readLine()).isEqualTo("bound");
            Process outside = new ProcessBuilder("perl", "-e", CLIENT).start();
            assertThat(outside.inputReader().lines())
                    .as("the same from the host")
                    .containsExactly("reached");

            RunResult inside = engine.run(ContainerSpec.of(Image.host(), "perl", "-e", CLIENT));

            assertThat(inside.stdout()).as(inside.stderr()).isEqualTo("refused\n");
        } finally {
            server.destroyForcibly();
            server.waitFor(5, TimeUnit.SECONDS);
        }
    }
}
