package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.network.names.FakeServer;
import dev.caisson.network.names.Messages;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Egress;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.NetworkSpec;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// A container with a list sends its resolver messages that dig(1) does not send, and its names are answered by
/// a server that says more than it was asked.
@Tag("root")
class EgressQuestionsTest extends OnAHost {
    private static final String SERVER = "203.0.113.53";
    private static final InetSocketAddress RESOLVER = new InetSocketAddress("127.0.0.11", 53);
    private static final String NAME = "good.test";
    private static final String SECRET = "c2VjcmV0";
    private static final int[] ALLOWED = {192, 0, 2, 9};
    private static final int[] PRIVATE = {10, 0, 0, 1};
    private static final int[] UNKNOWN = {198, 51, 100, 66};
    private static final int A = 1;
    private static final int CNAME = 5;
    private static final int MX = 15;
    private static final int TXT = 16;
    private static final int SVCB = 64;
    private static final int HTTPS = 65;

    private NameService names;
    private FakeServer server;
    private Bed.Guest guest;
    /// Writes the answer to a question, in place of the one address that every name has.
    private Function<byte[], byte[]> answer = query -> Messages.answer(query, ALLOWED);

    @BeforeEach
    void serveAContainerWithAList() throws Exception {
        bed.on(all -> all.create(new NetworkSpec("net", List.of(), false, true, true, 0, Map.of())));
        bed.host.sh("ip addr add " + SERVER + "/32 dev lo");
        server = new FakeServer(bed.host, SERVER, query -> List.of(answer.apply(query))).byTcp();
        var none = Files.createFile(directory.resolve("no-servers"));
        names = bed.host.call(() -> new NameService(directory, none, _ -> {}, Duration.ofSeconds(60)));
        var id = ContainerId.random();
        Egress.Listed list = Egress.only(NAME + ":80", "*.wild.test:80");
        guest = bed.started(
                id, bed.on(all -> all.attach(id, "web", List.of(NetworkEndpoint.on("net")), list, List.of())));
        Bed.serve(names, guest, Bed.ip(SERVER));
    }

    @AfterEach
    void stopServing() {
        names.close();
        server.close();
    }

    @Test
    void messages_that_are_no_single_question_of_the_internet_go_to_nobody() {
        byte[] good = Messages.question(NAME, A);
        byte[] secret = Messages.question(SECRET + ".wild.test", A);
        byte[] record = Messages.bytes(secret, new byte[] {0, 0, 0, 9, 0, 4, 10, 0, 0, 1});
        var messages = new LinkedHashMap<String, byte[]>();
        messages.put("two questions", Messages.bytes(Messages.header(7, 0x0100, 2, 0, 0, 0), good, secret));
        messages.put("no question", Messages.bytes(Messages.header(7, 0x0100, 0, 0, 0, 0), secret));
        messages.put("an answer in a question", Messages.bytes(Messages.header(7, 0x0100, 1, 1, 0, 0), good, record));
        messages.put("an authority", Messages.bytes(Messages.header(7, 0x0100, 1, 0, 1, 0), good, record));
        messages.put("an additional address", Messages.bytes(Messages.header(7, 0x0100, 1, 0, 0, 1), good, record));
        messages.put("a signature", Messages.bytes(Messages.header(7, 0x0100, 1, 0, 0, 1), good, signature()));
        messages.put("bytes behind it", Messages.bytes(Messages.query(7, NAME, A), secret));
        messages.put("a name that points to itself", questionOf(0xc0, 12, 0, A, 0, 1));
        messages.put("a name that points ahead", questionOf(0xc0, 18, 0, A, 0, 1, 1, 'a', 0));
        messages.put("a label of another kind", questionOf(0x41, 'a', 0, 0, A, 0, 1));
        messages.put("a label that is cut", questionOf(63, 'a', 0, 0, A, 0, 1));
        messages.put("a name of 256 bytes", Messages.query(7, ("a".repeat(63) + ".").repeat(3) + "b".repeat(62), A));
        for (int opcode = 1; opcode < 16; opcode++) { // 4 is NOTIFY and 5 is UPDATE
            messages.put(
                    "opcode " + opcode, Messages.bytes(Messages.header(7, opcode << 11 | 0x0100, 1, 0, 0, 0), secret));
        }
        for (int version : new int[] {1, 255}) {
            messages.put("version " + version, withOption(NAME, A, 0x0100, 1232, version, new byte[0]));
        }
        messages.put("half an option", withOption(NAME, A, 0x0100, 1232, 0, new byte[] {0, 10, 0}));
        messages.put("an option that is cut", withOption(NAME, A, 0x0100, 1232, 0, new byte[] {0, 10, 0, 9, 1}));

        messages.forEach((what, message) -> {
            byte[] reply = ask(message).orElseThrow(() -> new AssertionError("no answer to " + what));
            assertThat(code(reply)).as(what).isIn(1, 4, 0); // 0 is that of BADVERS, whose rest is in its option
            assertThat(answers(reply)).as(what).isZero();
            byte[] byTcp = askByTcp(message).orElseThrow(() -> new AssertionError("no answer by TCP to " + what));
            assertThat(byTcp).as(what).isEqualTo(reply);
        });

        byte[] isAnAnswer = Messages.bytes(Messages.header(7, 0x8180, 1, 0, 0, 0), secret);
        assertThat(ask(isAnAnswer, 300)).isEmpty();
        assertThat(askByTcp(isAnAnswer)).isEmpty();
        assertThat(server.asked).isEmpty();
        assertThat(tells(Messages.query(7, NAME, A), ALLOWED)).isTrue();
    }

    @Test
    void questions_of_other_classes_and_names_beside_the_list_go_to_nobody() {
        var questions = new LinkedHashMap<String, byte[]>();
        for (int type : new int[] {A, CNAME, 12, MX, TXT, 28, 33, 35, 255}) {
            for (String name : List.of(
                    SECRET + ".evil.test",
                    SECRET + "." + NAME,
                    "x" + NAME,
                    "wild.test",
                    "wild.test." + SECRET + ".test",
                    "test",
                    "9.2.0.192.in-addr.arpa",
                    "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                    (SECRET.repeat(7) + ".").repeat(4) + "evil.test")) {
                questions.put(name + " " + type, Messages.question(name, type));
            }
        }
        questions.put("the root", new byte[] {0, 0, 2, 0, 1});
        questions.put("a dot in a label", Messages.bytes(new byte[] {9}, ascii(NAME), new byte[] {0, 0, A, 0, 1}));
        questions.put("a zero", Messages.bytes(name("good\0", "test"), new byte[] {0, A, 0, 1}));
        questions.put("a zero behind it", Messages.bytes(name("good", "test\0"), new byte[] {0, A, 0, 1}));
        questions.put("a space below a wildcard", Messages.bytes(name("a b", "wild", "test"), new byte[] {0, A, 0, 1}));
        questions.put(
                "bytes below a wildcard",
                Messages.bytes(name("\u00ff\u0001", "wild", "test"), new byte[] {0, A, 0, 1}));
        for (int other : new int[] {0, 2, 3, 4, 254, 255, 0xff01}) {
            byte[] question = Messages.question(NAME, TXT);
            question[question.length - 2] = (byte) (other >> 8);
            question[question.length - 1] = (byte) other;
            questions.put("class " + other, question);
        }

        questions.forEach((what, question) -> {
            byte[] reply = ask(Messages.bytes(Messages.header(7, 0x0100, 1, 0, 0, 0), question))
                    .orElseThrow();
            assertThat(code(reply)).as(what).isEqualTo(3);
            assertThat(answers(reply)).as(what).isZero();
        });

        assertThat(server.asked).isEmpty();
        assertThat(tells(Messages.query(7, "a.b.wild.test", A), ALLOWED)).isTrue();
        assertThat(tells(Messages.query(7, longestBelow("wild.test"), A), ALLOWED))
                .isTrue();
    }

    /// Types with hints of addresses, all records, keys, transfers, and types that nobody knows.
    @Test
    void other_types_of_a_name_on_the_list_go_to_nobody() {
        for (int type : new int[] {
            0, 2, 3, 6, 10, 12, 13, 24, 25, 39, 41, 43, 46, 48, SVCB, HTTPS, 99, 249, 250, 251, 252, 253, 254, 255, 256,
            257, 32768, 65280, 65535
        }) {
            byte[] reply = ask(Messages.query(7, NAME, type)).orElseThrow();
            assertThat(code(reply)).as("type " + type).isEqualTo(type == 251 || type == 252 ? 5 : 0);
            assertThat(answers(reply)).as("type " + type).isZero();
        }
        assertThat(server.asked).isEmpty();
    }

    @Test
    void a_question_goes_out_as_if_anybody_had_asked() {
        byte[] cookie = Messages.bytes(new byte[] {0, 10, 0, 8}, ascii(SECRET));
        byte[] subnet = {0, 8, 0, 8, 0, 1, 32, 0, 1, 2, 3, 4};
        byte[] padding = Messages.bytes(new byte[] {0, 12, 0, 8}, ascii(SECRET));
        byte[] unknown = Messages.bytes(new byte[] {(byte) 0xfd, (byte) 0xe9, 0, 8}, ascii(SECRET));
        for (int flags : new int[] {0, 0x0100, 0x0130, 0x07f0, 0x01ff}) {
            for (int size : new int[] {0, 1, 511, 4096, 65535}) {
                for (byte[] option : List.of(cookie, subnet, padding, unknown, Messages.bytes(cookie, subnet))) {
                    assertThat(tells(withOption("gOOd.TesT", A, flags, size, 0, option), ALLOWED))
                            .isTrue();
                }
            }
        }

        byte[] alone = withOption(NAME, A, 0x0100, 1232, 0, new byte[0]);
        assertThat(server.asked)
                .hasSize(125)
                .allSatisfy(one -> assertThat(withoutId(one.message())).isEqualTo(withoutId(alone)));
        assertThat(server.asked.stream()
                        .map(one -> id(one.message()))
                        .distinct()
                        .count())
                .as("ids that the container did not choose")
                .isGreaterThan(100);
    }

    @Test
    void addresses_beside_the_answer_are_neither_told_nor_opened() {
        byte[] hint = {0, 1, 0, 0, 4, 0, 4, (byte) UNKNOWN[0], (byte) UNKNOWN[1], (byte) UNKNOWN[2], (byte) UNKNOWN[3]};
        answer = query -> reply(
                query,
                List.of(
                        record(NAME, CNAME, Messages.name("inside.corp.test")),
                        record("inside.corp.test", A, bytes(PRIVATE)),
                        record("inside.corp.test", A, bytes(ALLOWED)),
                        record(NAME, HTTPS, hint)),
                List.of(record("corp.test", 2, Messages.name("ns.corp.test"))),
                List.of(record("ns.corp.test", A, bytes(UNKNOWN)), record(NAME, A, bytes(UNKNOWN))));

        byte[] told = ask(Messages.query(7, NAME, A)).orElseThrow();

        assertThat(told)
                .isEqualTo(Messages.bytes(
                        Messages.header(7, 0x8180, 1, 1, 0, 0),
                        Messages.question(NAME, A),
                        new byte[] {(byte) 0xc0, 12, 0, A, 0, 1, 0, 0, 0, 60, 0, 4},
                        bytes(ALLOWED)));
        assertThat(pins()).contains("192.0.2.9").doesNotContain("198.51.100").doesNotContain("10.0.0.1");
    }

    @Test
    void answers_of_other_types_bring_no_addresses_along() {
        byte[] exchange = Messages.bytes(new byte[] {0, 10}, Messages.name("mail.test"));
        answer = query -> reply(
                query,
                List.of(record(NAME, MX, exchange)),
                List.of(record(NAME, 2, Messages.name("ns.test"))),
                List.of(record("mail.test", A, bytes(PRIVATE)), record("ns.test", A, bytes(UNKNOWN))));

        byte[] told = ask(Messages.query(7, NAME, MX)).orElseThrow();

        assertThat(told)
                .isEqualTo(Messages.bytes(
                        Messages.header(7, 0x8180, 1, 1, 0, 0),
                        Messages.question(NAME, MX),
                        record(NAME, MX, exchange)));

        answer = query -> reply(
                query,
                List.of(record(NAME, TXT, new byte[] {1, 'x'}), record(NAME, A, bytes(PRIVATE))),
                List.of(),
                List.of());
        byte[] refused = askByTcp(Messages.query(7, NAME, TXT)).orElseThrow();
        assertThat(code(refused)).isEqualTo(2);
        assertThat(answers(refused)).isZero();
        assertThat(pins()).doesNotContain("comment");
    }

    @Test
    void an_answer_whose_names_go_in_circles_is_a_failure() {
        byte[] fixed = {0, A, 0, 1, 0, 0, 0, 60, 0, 4, (byte) 192, 0, 2, 9};
        var circles = new HashMap<String, byte[]>();
        int at = 12 + Messages.question(NAME, A).length;
        circles.put("to itself", new byte[] {(byte) 0xc0, (byte) at});
        circles.put("to the label before it", new byte[] {1, 'a', (byte) 0xc0, (byte) at});
        circles.put("ahead", new byte[] {(byte) 0xc0, (byte) (at + 2)});
        circles.put("into the header", new byte[] {(byte) 0xc0, 0});
        circles.forEach((what, name) -> {
            answer = query -> Messages.bytes(
                    Messages.header(id(query), 0x8180, 1, 1, 0, 0), Messages.question(NAME, A), name, fixed);

            byte[] told = ask(Messages.query(7, NAME, A)).orElseThrow();

            assertThat(code(told)).as(what).isEqualTo(2);
            assertThat(answers(told)).as(what).isZero();
        });
        assertThat(pins()).doesNotContain("comment");
    }

    @Test
    void a_connection_is_read_as_its_lengths_say_however_it_is_cut() throws Exception {
        byte[] secret = framed(Messages.query(7, SECRET + ".evil.test", A));
        byte[] good = framed(Messages.query(8, NAME, A));
        try (Socket client = connect()) { // in single bytes, one behind the other, and then no more
            client.setTcpNoDelay(true);
            for (byte one : Messages.bytes(secret, good, secret)) {
                client.getOutputStream().write(one);
            }
            client.shutdownOutput();
            var in = new DataInputStream(client.getInputStream());
            assertThat(code(in.readNBytes(in.readUnsignedShort()))).isEqualTo(3);
            assertThat(tells(in.readNBytes(in.readUnsignedShort()), ALLOWED, 8)).isTrue();
            assertThat(code(in.readNBytes(in.readUnsignedShort()))).isEqualTo(3);
            assertThat(in.read()).isEqualTo(-1);
        }
        byte[] lie = secret.clone();
        for (int length : new int[] {0, 11, 1233, 65535, secret.length}) {
            lie[0] = (byte) (length >> 8);
            lie[1] = (byte) length;
            try (Socket client = connect()) {
                client.getOutputStream().write(lie);
                client.shutdownOutput();
                assertThat(client.getInputStream().readAllBytes())
                        .as("length " + length)
                        .isEmpty();
            } catch (IOException e) { // what it did not read is a reset
                assertThat(e).isNotInstanceOf(SocketTimeoutException.class);
            }
        }
        assertThat(server.asked).hasSize(1);
    }

    private static byte[] withOption(String name, int type, int flags, int size, int version, byte[] options) {
        byte[] option = {0, 0, 41, (byte) (size >> 8), (byte) size, 0, (byte) version, 0, 0, 0, (byte) options.length};
        return Messages.bytes(
                Messages.header(7, flags & 0x87ff, 1, 0, 0, 1), Messages.question(name, type), option, options);
    }

    private static byte[] signature() {
        return Messages.bytes(Messages.name(SECRET), new byte[] {0, (byte) 250, 0, (byte) 255, 0, 0, 0, 0, 0, 0});
    }

    private static byte[] questionOf(int... bytes) {
        return Messages.bytes(Messages.header(7, 0x0100, 1, 0, 0, 0), bytes(bytes));
    }

    private static byte[] bytes(int... values) {
        var bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] name(String... labels) {
        return Messages.name(String.join(".", labels));
    }

    /// A name of 255 bytes.
    private static String longestBelow(String name) {
        String label = "a".repeat(63) + ".";
        String begin = label.repeat(3);
        return begin + "b".repeat(253 - begin.length() - name.length() - 1) + "." + name;
    }

    private static byte[] record(String name, int type, byte[] data) {
        return Messages.bytes(
                Messages.name(name), new byte[] {0, (byte) type, 0, 1, 0, 0, 0, 60, 0, (byte) data.length}, data);
    }

    private static byte[] reply(byte[] query, List<byte[]> answers, List<byte[]> authority, List<byte[]> additional) {
        byte[] header = Messages.header(id(query), 0x8180, 1, answers.size(), authority.size(), additional.size());
        byte[] question = Messages.question(Messages.nameOf(query), query[query.length - 3]);
        return Messages.bytes(header, question, join(answers), join(authority), join(additional));
    }

    private static byte[] join(List<byte[]> records) {
        return Messages.bytes(records.toArray(byte[][]::new));
    }

    private static int id(byte[] message) {
        return (message[0] & 0xff) << 8 | (message[1] & 0xff);
    }

    private static byte[] withoutId(byte[] message) {
        return Arrays.copyOfRange(message, 2, message.length);
    }

    private static byte[] framed(byte[] message) {
        return Messages.bytes(new byte[] {(byte) (message.length >> 8), (byte) message.length}, message);
    }

    private static int code(byte[] reply) {
        return reply[3] & 0xf;
    }

    private static int answers(byte[] reply) {
        return (reply[6] & 0xff) << 8 | (reply[7] & 0xff);
    }

    private Optional<byte[]> ask(byte[] message) {
        return ask(message, 10_000);
    }

    private Optional<byte[]> ask(byte[] message, int millis) {
        return guest.namespace().call(() -> {
            try (var client = new DatagramSocket()) {
                client.setSoTimeout(millis);
                client.send(new DatagramPacket(message, message.length, RESOLVER));
                var reply = new DatagramPacket(new byte[2048], 2048);
                client.receive(reply);
                return Optional.of(Arrays.copyOf(reply.getData(), reply.getLength()));
            } catch (SocketTimeoutException e) {
                return Optional.empty();
            }
        });
    }

    private Socket connect() {
        return guest.namespace().call(() -> {
            var client = new Socket(RESOLVER.getAddress(), RESOLVER.getPort());
            client.setSoTimeout(10_000);
            return client;
        });
    }

    /// Returns the answer to a question; empty if the connection is closed in its place.
    private Optional<byte[]> askByTcp(byte[] message) {
        try (Socket client = connect()) {
            client.getOutputStream().write(framed(message));
            byte[] length = client.getInputStream().readNBytes(2);
            return length.length < 2
                    ? Optional.empty()
                    : Optional.of(client.getInputStream().readNBytes(id(length)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private boolean tells(byte[] question, int... address) {
        return tells(ask(question).orElseThrow(), address, 7);
    }

    /// True if a reply has one record, which is an address.
    private static boolean tells(byte[] reply, int[] address, int id) {
        byte[] record = Messages.bytes(new byte[] {0, 60, 0, 4}, bytes(address));
        return id(reply) == id
                && code(reply) == 0
                && answers(reply) == 1
                && new String(reply, StandardCharsets.ISO_8859_1)
                        .contains(new String(record, StandardCharsets.ISO_8859_1));
    }

    private String pins() {
        return bed.host.sh("nft list set inet $(nft list tables inet | grep -o 'caisson.*') reached");
    }
}
