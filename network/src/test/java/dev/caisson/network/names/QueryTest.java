package dev.caisson.network.names;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// A question is read strictly: what is not exactly one is answered with the code that says so, or not at all.
class QueryTest {
    private static final byte[] OPTION = {0, 0, 41, 0x20, 0, 0, 0, (byte) 0x80, 0, 0, 0};

    @Test
    void a_question_is_read_with_its_name_in_lower_case() throws MalformedMessage {
        Query query = read(Messages.query(0x1234, "Web.Back_end-1", 28));

        assertThat(query.id()).isEqualTo(0x1234);
        assertThat(query.name()).contains("web.back_end-1");
        assertThat(query.type()).isEqualTo(28);
        assertThat(query.recursion()).isTrue();
        assertThat(query.edns()).isFalse();
        assertThat(query.limit()).isEqualTo(512);
        assertThat(query.question()).isEqualTo(Messages.question("Web.Back_end-1", 28));
    }

    @Test
    void the_size_that_a_client_takes_is_bounded() throws MalformedMessage {
        byte[] plain = Messages.query(1, "web", 1);
        plain[11] = 1;

        Query query = read(Messages.bytes(plain, OPTION));

        assertThat(query.edns()).isTrue();
        assertThat(query.dnssec()).isTrue();
        assertThat(query.limit()).isEqualTo(1232);
    }

    @Test
    void a_plain_question_has_nothing_that_the_client_chose_but_name_and_type() throws MalformedMessage {
        byte[] message = Messages.query(0x1234, "sEcReT.Web", 28);
        message[3] |= 0x10; // checking disabled
        message[2] &= ~1; // no recursion
        message[11] = 1;

        Query query = read(Messages.bytes(message, OPTION)).plain();

        assertThat(query.question()).isEqualTo(Messages.question("secret.web", 28));
        byte[] sent = query.forward(0x4321);
        byte[] other = Messages.query(9, "SECRET.WEB", 28);
        other[11] = 1;
        byte[] small = {0, 0, 41, 0x02, 0, 0, 0, 0, 0, 0, 0};
        assertThat(sent).isEqualTo(read(Messages.bytes(other, small)).plain().forward(0x4321));
    }

    @Test
    void a_name_that_no_host_can_have_is_asked_of_others() throws MalformedMessage {
        assertThat(read(Messages.query(1, "a b", 1)).name()).isEmpty();
        assertThat(read(Messages.query(1, "w\u00e4b", 1)).name()).isEmpty();
        byte[] chaos = Messages.query(1, "web", 1);
        chaos[chaos.length - 1] = 3;
        assertThat(read(chaos).name()).isEmpty();
    }

    @Test
    void a_dot_within_a_label_makes_no_other_name() throws MalformedMessage {
        byte[] message = Messages.query(1, "webxnet", 1);
        message[16] = '.';

        assertThat(read(message).name()).isEmpty();
    }

    @Test
    void an_answer_and_half_a_header_are_not_answered() throws MalformedMessage {
        byte[] answer = Messages.query(1, "web", 1);
        answer[2] |= (byte) 0x80;

        assertThat(Query.read(answer, answer.length)).isEmpty();
        assertThat(Query.read(answer, 11)).isEmpty();
        assertThat(Query.read(new byte[0], 0)).isEmpty();
    }

    @Test
    void what_is_cut_or_too_long_is_malformed() {
        byte[] plain = Messages.query(1, "web.example", 1);
        plain[11] = 1;
        byte[] whole = Messages.bytes(plain, OPTION);
        for (int length = 12; length < whole.length; length++) {
            refused(Wire.FORMAT_ERROR, Arrays.copyOf(whole, length));
        }
        refused(Wire.FORMAT_ERROR, Arrays.copyOf(whole, whole.length + 1));
    }

    @Test
    void pointers_long_names_and_other_counts_are_malformed() {
        byte[] pointer = Messages.bytes(Messages.header(1, 0, 1, 0, 0, 0), new byte[] {(byte) 0xc0, 12, 0, 1, 0, 1});
        refused(Wire.FORMAT_ERROR, pointer);
        refused(Wire.FORMAT_ERROR, Messages.query(1, "a".repeat(64), 1));
        String label = "a".repeat(63);
        refused(Wire.FORMAT_ERROR, Messages.query(1, String.join(".", label, label, label, label), 1));
        byte[] two =
                Messages.bytes(Messages.header(1, 0, 2, 0, 0, 0), Messages.question("a", 1), Messages.question("b", 1));
        refused(Wire.FORMAT_ERROR, two);
        refused(Wire.FORMAT_ERROR, Messages.header(1, 0, 0, 0, 0, 0));
        byte[] record = Messages.query(1, "web", 1);
        record[7] = 1;
        refused(Wire.FORMAT_ERROR, record);
    }

    @Test
    void other_kinds_of_message_and_other_versions_are_named() {
        byte[] update = Messages.query(1, "web", 1);
        update[2] |= 5 << 3;
        refused(Wire.NOT_IMPLEMENTED, update);
        byte[] plain = Messages.query(1, "web", 1);
        plain[11] = 1;
        byte[] newer = Messages.bytes(plain, OPTION);
        newer[plain.length + 6] = 1;
        refused(Wire.BAD_VERSION, newer);
    }

    @Test
    void options_lie_within_their_record() {
        byte[] plain = Messages.query(1, "web", 1);
        plain[11] = 1;
        byte[] option = OPTION.clone();
        option[10] = 4;
        refused(Wire.FORMAT_ERROR, Messages.bytes(plain, option, new byte[] {0, 10, 0, 1}));
    }

    @Test
    void the_longest_name_is_read() throws MalformedMessage {
        String label = "a".repeat(63);
        String longest = String.join(".", label, label, label, "a".repeat(61));

        assertThat(read(Messages.query(1, longest, 1)).name()).contains(longest);
    }

    @Test
    void random_changes_are_read_or_refused() {
        var random = new Random(1);
        byte[] plain = Messages.query(1, "web.example", 1);
        plain[11] = 1;
        byte[] whole = Messages.bytes(plain, OPTION);
        for (int i = 0; i < 200_000; i++) {
            byte[] message = Arrays.copyOf(whole, random.nextInt(whole.length + 8));
            for (int change = random.nextInt(4); change > 0 && message.length > 0; change--) {
                message[random.nextInt(message.length)] = (byte) random.nextInt();
            }
            try {
                Query.read(message, message.length).ifPresent(query -> query.forward(1));
            } catch (MalformedMessage e) {
                assertThat(Reply.malformed(message, e)).hasSizeGreaterThanOrEqualTo(12);
            }
        }
    }

    @Test
    void a_forwarded_question_has_nothing_of_the_clients_but_the_question() throws MalformedMessage {
        byte[] plain = Messages.query(0x1111, "Example.test", 1);
        plain[11] = 1;
        byte[] option = OPTION.clone();
        option[10] = 12;
        byte[] cookie = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};

        byte[] forwarded = read(Messages.bytes(plain, option, cookie)).forward(0x2222);

        byte[] expected = Messages.query(0x2222, "Example.test", 1);
        expected[11] = 1;
        byte[] ours = OPTION.clone();
        ours[3] = 1232 >> 8;
        ours[4] = (byte) 1232;
        assertThat(forwarded).isEqualTo(Messages.bytes(expected, ours));
    }

    static Query read(byte[] message) throws MalformedMessage {
        return Query.read(message, message.length).orElseThrow();
    }

    private static void refused(int code, byte[] message) {
        assertThatExceptionOfType(MalformedMessage.class)
                .isThrownBy(() -> Query.read(message, message.length))
                .satisfies(e -> assertThat(e.answer()).isEqualTo(code));
    }
}
