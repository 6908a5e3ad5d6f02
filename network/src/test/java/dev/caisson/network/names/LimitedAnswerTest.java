package dev.caisson.network.names;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a container with a list of destinations may ask and is told: addresses of the names on its list, and no hints
/// of others.
class LimitedAnswerTest {
    private static final int A = 1;
    private static final int AAAA = 28;
    private static final int TEXT = 16;

    /// Lets everything be asked whose name begins with `on`, and keeps what it is to open.
    private static final class Kept implements Admission {
        private final List<String> opened = new ArrayList<>();
        private boolean opens = true;
        private Optional<InetAddress> more = Optional.empty();

        @Override
        public boolean mayAsk(Optional<String> name) {
            return name.filter(one -> one.startsWith("on")).isPresent();
        }

        @Override
        public Optional<List<InetAddress>> admit(String name, List<InetAddress> addresses, int seconds) {
            opened.add(name + " "
                    + addresses.stream().map(InetAddress::getHostAddress).toList() + " " + seconds);
            List<InetAddress> told =
                    Stream.concat(addresses.stream(), more.stream()).toList();
            return opens ? Optional.of(told) : Optional.empty();
        }
    }

    private final Kept admission = new Kept();

    private static Query query(String name, int type) throws MalformedMessage {
        byte[] message = Messages.query(7, name, type);
        return Query.read(message, message.length).orElseThrow();
    }

    private LimitedAnswer limited(String name, int type) throws MalformedMessage {
        return new LimitedAnswer(query(name, type), false, admission);
    }

    /// A record of the question's name.
    private static byte[] record(int type, int seconds, int... data) {
        var bytes = new byte[12 + data.length];
        int[] head = {
            0xc0, 12, 0, type, 0, 1, seconds >> 24, seconds >> 16, seconds >> 8, seconds, data.length >> 8, data.length
        };
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i < 12 ? head[i] : data[i - 12]);
        }
        return bytes;
    }

    private static byte[] reply(String name, int type, int flags, byte[]... records) {
        byte[] head = Messages.header(9, 0x8180 | flags, 1, records.length, 0, 0);
        return Messages.bytes(head, Messages.question(name, type), Messages.bytes(records));
    }

    private static int code(byte[] answer) {
        return answer[3] & 0xf;
    }

    private static int count(byte[] answer) {
        return (answer[6] & 0xff) << 8 | (answer[7] & 0xff);
    }

    @Test
    void a_name_that_is_not_on_the_list_does_not_exist() throws MalformedMessage {
        byte[] refused = limited("off.example", A).refusal().orElseThrow();
        assertThat(code(refused)).isEqualTo(3);
        assertThat(count(refused)).isZero();
        assertThat(limited("on.example", A).refusal()).isEmpty();
    }

    /// HTTPS and SVCB records have hints of addresses, and ANY has all records.
    @ParameterizedTest
    @ValueSource(ints = {1, 5, 15, 16, 28, 33, 35, 2, 6, 12, 25, 43, 48, 64, 65, 252, 255, 257})
    void records_that_could_hint_at_addresses_are_asked_of_nobody(int type) throws MalformedMessage {
        Optional<byte[]> refusal = limited("on.example", type).refusal();
        assertThat(refusal.isEmpty())
                .isEqualTo(List.of(1, 5, 15, 16, 28, 33, 35).contains(type));
        refusal.ifPresent(answer -> {
            assertThat(code(answer)).isZero();
            assertThat(count(answer)).isZero();
        });
    }

    @Test
    void a_text_that_is_cut_off_is_a_failure() throws MalformedMessage {
        byte[] whole = reply("on.example", TEXT, 0, record(TEXT, 60, 3, 'a', 'b', 'c'));

        assertThat(code(limited("on.example", TEXT).of(whole))).isZero();
        byte[] cut = limited("on.example", TEXT).of(Arrays.copyOf(whole, whole.length - 1));
        assertThat(code(cut)).isEqualTo(2);
        assertThat(count(cut)).isZero();
    }

    @Test
    void addresses_are_opened_for_as_long_as_the_shortest_record_says_and_then_told() throws MalformedMessage {
        byte[] told = limited("on.example", A)
                .of(reply("on.example", A, 0, record(A, 300, 192, 0, 2, 1), record(A, 60, 192, 0, 2, 2)));
        assertThat(admission.opened).containsExactly("on.example [192.0.2.1, 192.0.2.2] 60");
        assertThat(count(told)).isEqualTo(2);
        assertThat(Arrays.copyOfRange(told, told.length - 4, told.length)).containsExactly(192, 0, 2, 2);
        assertThat(told[2] & 0x04).as("authoritative").isZero();
        assertThat(code(told)).isZero();
        assertThat(told[told.length - 7] & 0xff).as("seconds").isEqualTo(60);
    }

    @Test
    void no_address_is_opened_for_more_than_an_hour() throws MalformedMessage {
        limited("on.example", A).of(reply("on.example", A, 0, record(A, 3601, 192, 0, 2, 1)));
        limited("on.example", A).of(reply("on.example", A, 0, record(A, -1, 192, 0, 2, 1)));
        limited("on.example", A).of(reply("on.example", A, 0, record(A, 3599, 192, 0, 2, 1)));
        assertThat(admission.opened)
                .containsExactly(
                        "on.example [192.0.2.1] 3600", "on.example [192.0.2.1] 3600", "on.example [192.0.2.1] 3599");
    }

    @Test
    void only_addresses_of_the_type_that_was_asked_for_count() throws MalformedMessage {
        byte[] six = record(AAAA, 60, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
        byte[] otherClass = record(A, 60, 192, 0, 2, 3);
        otherClass[5] = 3;
        byte[] told = limited("on.example", A)
                .of(reply(
                        "on.example",
                        A,
                        0,
                        six,
                        otherClass,
                        record(A, 60, 192, 0, 2),
                        record(TEXT, 30, 3, 'x', 'y', 'z'),
                        record(A, 60, 192, 0, 2, 9)));
        assertThat(admission.opened).containsExactly("on.example [192.0.2.9] 30");
        assertThat(count(told)).isEqualTo(1);
        admission.opened.clear();
        byte[] toldSix = limited("on.example", AAAA).of(reply("on.example", AAAA, 0, six, record(A, 60, 192, 0, 2, 9)));
        assertThat(count(toldSix)).isEqualTo(1);
        assertThat(Arrays.copyOfRange(toldSix, toldSix.length - 16, toldSix.length))
                .isEqualTo(Arrays.copyOfRange(six, 12, 28));
        assertThat(admission.opened).containsExactly("on.example [2001:db8:0:0:0:0:0:1] 60");
    }

    @Test
    void at_most_32_addresses_are_opened_each_once() throws MalformedMessage {
        var records = new byte[80][];
        for (int i = 0; i < records.length; i++) {
            records[i] = record(A, 60, 192, 0, 2, i / 2);
        }
        limited("on.example", A).of(reply("on.example", A, 0, records));
        assertThat(admission.opened).hasSize(1);
        assertThat(admission.opened.getFirst().split(",", -1)).hasSize(32);
    }

    @Test
    void addresses_that_do_not_fit_are_cut_by_udp_and_whole_by_tcp() throws MalformedMessage {
        var records = new byte[32][];
        for (int i = 0; i < records.length; i++) {
            records[i] = record(A, 60, 192, 0, 2, i);
        }
        byte[] reply = reply("on.example", A, 0, records);
        byte[] cut = limited("on.example", A).of(reply.clone());
        assertThat(cut).hasSizeLessThanOrEqualTo(512);
        assertThat(cut[2] & 0x02).as("truncated").isNotZero();
        assertThat(count(cut)).isEqualTo((512 - 12 - Messages.question("on.example", A).length) / 16);
        byte[] whole = new LimitedAnswer(query("on.example", A), true, admission).of(reply.clone());
        assertThat(whole[2] & 0x02).as("truncated").isZero();
        assertThat(count(whole)).isEqualTo(32);
    }

    @Test
    void addresses_of_the_other_family_are_not_told() throws MalformedMessage {
        admission.more = Optional.of(InetAddress.ofLiteral("2001:db8::1"));
        assertThat(count(limited("on.example", A).of(reply("on.example", A, 0, record(A, 60, 192, 0, 2, 1)))))
                .isEqualTo(1);
        admission.more = Optional.of(InetAddress.ofLiteral("192.0.2.7"));
        assertThat(count(limited("on.example", AAAA).of(reply("on.example", AAAA, 0))))
                .isZero();
    }

    @Test
    void an_answer_whose_records_cannot_be_read_is_a_failure() throws MalformedMessage {
        byte[] broken = record(A, 60, 192, 0, 2, 1);
        broken[1] = 100; // a pointer that leads forward
        byte[] told = limited("on.example", A).of(reply("on.example", A, 0, broken));
        assertThat(code(told)).isEqualTo(2);
        assertThat(admission.opened).isEmpty();
    }

    @Test
    void the_question_goes_on_in_lower_case() throws MalformedMessage {
        assertThat(limited("ON.Example", A).question().question()).isEqualTo(Messages.question("on.example", A));
    }

    @Test
    void what_cannot_be_opened_is_not_told() throws MalformedMessage {
        admission.opens = false;
        byte[] told = limited("on.example", A).of(reply("on.example", A, 0, record(A, 60, 192, 0, 2, 1)));
        assertThat(code(told)).isEqualTo(2);
        assertThat(count(told)).isZero();
    }

    @Test
    void an_error_or_an_answer_that_did_not_fit_is_told_without_records() throws MalformedMessage {
        byte[] failed = limited("on.example", A).of(reply("on.example", A, 3, record(A, 60, 192, 0, 2, 1)));
        assertThat(code(failed)).isEqualTo(3);
        for (int code : new int[] {1, 9, 15}) {
            byte[] told = limited("on.example", A).of(reply("on.example", A, code));
            assertThat(code(told)).isEqualTo(code);
            assertThat(told[2] & 0x02).as("truncated").isZero();
        }
        byte[] cut = limited("on.example", A).of(reply("on.example", A, 0x200, record(A, 60, 192, 0, 2, 1)));
        assertThat(cut[2] & 0x02).as("truncated").isNotZero();
        assertThat(count(failed) + count(cut)).isZero();
        assertThat(admission.opened).isEmpty();
    }

    @Test
    void other_records_are_told_as_they_are_with_the_client_s_own_spelling() throws MalformedMessage {
        byte[] reply = reply("on.example", TEXT, 0, record(TEXT, 60, 1, 'x'));
        byte[] told = limited("ON.Example", TEXT).of(reply.clone());
        assertThat(Arrays.copyOfRange(told, 12, 12 + Messages.question("ON.Example", TEXT).length))
                .isEqualTo(Messages.question("ON.Example", TEXT));
        assertThat(count(told)).isEqualTo(1);
        assertThat(admission.opened).isEmpty();
    }

    @Test
    void records_beside_those_that_were_asked_for_are_not_told() throws MalformedMessage {
        byte[] reply = reply("on.example", TEXT, 0, record(TEXT, 60, 1, 'x'), record(A, 60, 10, 0, 0, 1));
        byte[] told = limited("on.example", TEXT).of(reply.clone());
        assertThat(code(told)).isEqualTo(2);
        assertThat(count(told)).isZero();
        reply[7] = 1; // the address is in another section
        for (int section : new int[] {9, 11}) {
            byte[] beside = reply.clone();
            beside[section] = 1;
            byte[] cut = limited("on.example", TEXT).of(beside);
            assertThat(count(cut)).isEqualTo(1);
            assertThat(Arrays.copyOfRange(cut, 8, 12)).containsOnly(0);
            assertThat(cut).hasSize(reply.length - 16);
        }
    }

    @Test
    void aliases_that_lead_to_what_was_asked_for_are_told() throws MalformedMessage {
        byte[] alias = record(5, 60, 1, 'b', 0);
        byte[] whole = record(39, 60, 1, 'b', 0);
        byte[] told = limited("on.example", TEXT).of(reply("on.example", TEXT, 0, whole, alias, record(TEXT, 60)));
        assertThat(code(told)).isZero();
        assertThat(count(told)).isEqualTo(3);
    }

    @Test
    void what_is_too_long_for_the_client_s_datagram_is_asked_for_by_tcp() throws MalformedMessage {
        byte[] reply = reply("on.example", TEXT, 0, record(TEXT, 60, new int[200]), record(TEXT, 60, new int[300]));
        byte[] cut = limited("on.example", TEXT).of(reply.clone());
        assertThat(cut[2] & 0x02).as("truncated").isNotZero();
        assertThat(code(cut)).isZero();
        byte[] whole = new LimitedAnswer(query("on.example", TEXT), true, admission).of(reply.clone());
        assertThat(whole).hasSize(reply.length);
        byte[] fits = reply("on.example", TEXT, 0, record(TEXT, 60, new int[200]), record(TEXT, 60, new int[260]));
        assertThat(limited("on.example", TEXT).of(fits)).hasSize(512);
    }
}
