package dev.caisson.network.nft;

import dev.caisson.linux.NetlinkAttributes;
import dev.caisson.linux.NetlinkAttributes.Attribute;
import dev.caisson.linux.NetlinkMessage;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Compares what a packet filter has with the messages by which it was made: each table, set, chain and rule, by their
/// values and not by their bytes, as the kernel tells more of a thing than it was told.
public final class RuleReading {
    /// One thing that was compared.
    ///
    /// @param subject as `inet caisson, chain neighbors`
    public record Comparison(String subject, String planned, String found) {}

    private static final String MISSING = "missing";
    private static final int NEW_TABLE = Batch.SUBSYSTEM;
    private static final int NEW_CHAIN = Batch.SUBSYSTEM | 3;
    private static final int NEW_RULE = Batch.SUBSYSTEM | 6;
    private static final int NEW_SET = Batch.SUBSYSTEM | 9;
    private static final int GET_TABLE = 1;
    private static final int GET_SET = 10;
    private static final int GET_ELEMENTS = 13;
    private static final int HOOK = 4;
    private static final int POLICY = 5;
    private static final int CHAIN_KIND = 7;
    private static final List<Integer> OF_A_CHAIN = List.of(HOOK, POLICY, CHAIN_KIND);
    private static final int FLAGS = 3;
    private static final int DESCRIPTION = 9;
    private static final List<Integer> OF_A_SET = List.of(FLAGS, 4, 5, 6, 7, DESCRIPTION);
    private static final int FLAGS_OF_A_TABLE = 2;
    private static final int EXPRESSIONS = 4;
    private static final int EXPRESSION = 1;
    private static final int EXPRESSION_DATA = 2;
    private static final int ATTRIBUTE_HEADER = 4;
    /// NFT_REG32_00, of which four are NFT_REG_1.
    private static final int FIRST_SMALL = 8;

    private static final int SMALL_IN_A_LARGE = 4;
    /// Which attributes of an expression are registers, as in linux/netfilter/nf_tables.h.
    private static final Map<String, List<Integer>> REGISTERS = Map.ofEntries(
            Map.entry("bitwise", List.of(1, 2)),
            Map.entry("cmp", List.of(1)),
            Map.entry("ct", List.of(1, 4)),
            Map.entry("dynset", List.of(4, 5)),
            Map.entry("exthdr", List.of(1, 7)),
            Map.entry("immediate", List.of(1)),
            Map.entry("lookup", List.of(2, 3)),
            Map.entry("meta", List.of(1, 3)),
            Map.entry("nat", List.of(3, 4, 5, 6)),
            Map.entry("payload", List.of(1, 5)),
            Map.entry("rt", List.of(1)));

    /// A set or chain of a table.
    private record Name(String table, String name) {
        @Override
        public String toString() {
            return table + ", " + name;
        }
    }

    private final Map<String, NetlinkAttributes> tables = new LinkedHashMap<>();
    private final Map<Name, NetlinkAttributes> sets = new LinkedHashMap<>();
    private final Map<Name, NetlinkAttributes> chains = new LinkedHashMap<>();
    private final Map<Name, List<NetlinkAttributes>> rules = new LinkedHashMap<>();

    private RuleReading() {}

    /// Reads batches of nfnetlink that only make things.
    public static RuleReading ofRequests(List<byte[]> batches) {
        var reading = new RuleReading();
        for (byte[] batch : batches) {
            NetlinkMessage.parse(batch, batch.length).forEach(reading::add);
        }
        return reading;
    }

    private static RuleReading of(NetlinkSocket socket) {
        var reading = new RuleReading();
        for (int type : new int[] {GET_TABLE, GET_SET, TableQueries.GET_CHAIN, TableQueries.GET_RULE}) {
            var request = new NetlinkWriter();
            TableQueries.request(request, type, NetlinkWriter.DUMP, 0).end();
            socket.dump("the packet filter", request).forEach(reading::add);
        }
        return reading;
    }

    private void add(NetlinkMessage message) {
        if (message.type() >>> 8 != Batch.SUBSYSTEM >>> 8) {
            return; // where a batch begins and ends
        }
        NetlinkAttributes attributes = message.attributes(TableQueries.HEADER);
        String table = family(message.u8(0)) + " " + attributes.string(1).orElse("");
        switch (message.type()) {
            case NEW_TABLE -> tables.put(table, attributes);
            case NEW_SET ->
                sets.put(new Name(table, "set " + attributes.string(2).orElse("")), attributes);
            case NEW_CHAIN ->
                chains.put(new Name(table, "chain " + attributes.string(3).orElse("")), attributes);
            case NEW_RULE ->
                rules.computeIfAbsent(
                                new Name(table, "chain " + attributes.string(2).orElse("")), _ -> new ArrayList<>())
                        .add(attributes);
            default -> throw new IllegalArgumentException("no message that makes something: " + message.type());
        }
    }

    private static String family(int number) {
        for (Batch.Family family : Batch.Family.values()) {
            if (family.number() == number) {
                return switch (family) {
                    case INET -> "inet";
                    case IPV4 -> "ip";
                    case BRIDGE -> "bridge";
                    case IPV6 -> "ip6";
                };
            }
        }
        return "family " + number;
    }

    /// Returns a line for each table, set and chain.
    public List<String> lines() {
        var lines = new ArrayList<String>();
        for (Name set : sets.keySet()) {
            lines.add(set.toString());
        }
        for (Name chain : chains.keySet()) {
            lines.add(chain + " (" + rules(chain) + ")");
        }
        return lines;
    }

    private String rules(Name chain) {
        int count = rules.getOrDefault(chain, List.of()).size();
        return count == 1 ? "1 rule" : count + " rules";
    }

    /// Compares all that a namespace has with this.
    public List<Comparison> compare(NetlinkSocket socket) {
        RuleReading found = of(socket);
        var all = new ArrayList<Comparison>();
        all.add(new Comparison("tables", String.join(", ", tables.keySet()), found.tables()));
        sets.forEach((name, planned) ->
                all.add(new Comparison(name.toString(), "as made", found.set(name, planned, socket))));
        chains.forEach((name, planned) ->
                all.add(new Comparison(name.toString(), rules(name) + ", as made", found.chain(name, planned, this))));
        found.sets.keySet().stream()
                .filter(name -> isOurs(name) && !sets.containsKey(name))
                .forEach(name -> all.add(new Comparison(name.toString(), "not there", "made by somebody else")));
        found.chains.keySet().stream()
                .filter(name -> isOurs(name) && !chains.containsKey(name))
                .forEach(name -> all.add(new Comparison(name.toString(), "not there", "made by somebody else")));
        return all;
    }

    /// Tables of others are told as such.
    private boolean isOurs(Name name) {
        return tables.containsKey(name.table());
    }

    private String tables() {
        var names = new ArrayList<String>();
        tables.forEach((name, attributes) -> names.add(
                name + (attributes.big32(FLAGS_OF_A_TABLE).orElse(0) == 0 ? "" : " (with flags, as dormant)")));
        return names.isEmpty() ? "none" : String.join(", ", names);
    }

    private String set(Name name, NetlinkAttributes planned, NetlinkSocket socket) {
        NetlinkAttributes found = sets.get(name);
        if (found == null) {
            return MISSING;
        }
        if (!isSame(planned, found, OF_A_SET)) {
            return "of another form";
        }
        long staying = staying(name, found, socket);
        return staying == 0 ? "as made" : "as made, elements without an end: " + staying;
    }

    /// Returns how many elements somebody added that stay: rules add such that go.
    private static long staying(Name name, NetlinkAttributes set, NetlinkSocket socket) {
        int elements = 3;
        int timeout = 4;
        int family = name.table().startsWith("inet ") ? Batch.Family.INET.number() : Batch.Family.IPV4.number();
        var request = new NetlinkWriter();
        TableQueries.request(request, GET_ELEMENTS, NetlinkWriter.DUMP, family)
                .string(1, set.string(1).orElse(""))
                .string(2, set.string(2).orElse(""))
                .end();
        return socket.dump(name.toString(), request).stream()
                .flatMap(message -> message.attributes(TableQueries.HEADER).nested(elements).stream())
                .flatMap(list -> list.all().stream())
                .filter(one -> one.nested().find(timeout).isEmpty())
                .count();
    }

    private String chain(Name name, NetlinkAttributes planned, RuleReading plan) {
        NetlinkAttributes found = chains.get(name);
        if (found == null) {
            return MISSING;
        }
        if (!isSame(planned, found, OF_A_CHAIN)) {
            return "at another place, or with another policy";
        }
        List<NetlinkAttributes> wanted = plan.rules.getOrDefault(name, List.of());
        List<NetlinkAttributes> there = rules.getOrDefault(name, List.of());
        for (int i = 0; i < Math.min(wanted.size(), there.size()); i++) {
            if (!isSameRule(wanted.get(i), there.get(i))) {
                return rules(name) + ", of which number " + (i + 1) + " is another";
            }
        }
        return rules(name) + (wanted.size() == there.size() ? ", as made" : "");
    }

    private static boolean isSameRule(NetlinkAttributes planned, NetlinkAttributes found) {
        List<Attribute> wanted = expressions(planned);
        List<Attribute> there = expressions(found);
        for (int i = 0; i < Math.min(wanted.size(), there.size()); i++) {
            NetlinkAttributes one = wanted.get(i).nested();
            NetlinkAttributes other = there.get(i).nested();
            String name = one.string(EXPRESSION).orElse("");
            if (!other.string(EXPRESSION).equals(Optional.of(name))
                    || !covers(
                            registers(name, one.nested(EXPRESSION_DATA)),
                            registers(name, other.nested(EXPRESSION_DATA)))) {
                return false;
            }
        }
        return wanted.size() == there.size();
    }

    private static List<Attribute> expressions(NetlinkAttributes rule) {
        return rule.nested(EXPRESSIONS).map(NetlinkAttributes::all).orElse(List.of());
    }

    /// Returns the attributes of an expression with its registers as the kernel tells them: the first of four
    /// small ones is told as the large one that they are parts of.
    private static List<Attribute> registers(String expression, Optional<NetlinkAttributes> data) {
        List<Integer> registers = REGISTERS.getOrDefault(expression, List.of());
        return data.map(NetlinkAttributes::all).orElse(List.of()).stream()
                .map(one -> registers.contains(one.type()) ? new Attribute(one.type(), register(one.value())) : one)
                .toList();
    }

    private static byte[] register(byte[] value) {
        int number = value.length == 4 ? ByteBuffer.wrap(value).getInt() : 0;
        return number >= FIRST_SMALL && (number - FIRST_SMALL) % SMALL_IN_A_LARGE == 0
                ? ByteBuffer.allocate(4)
                        .putInt(1 + (number - FIRST_SMALL) / SMALL_IN_A_LARGE)
                        .array()
                : value;
    }

    private static boolean isSame(NetlinkAttributes planned, NetlinkAttributes found, List<Integer> types) {
        return types.stream().allMatch(type -> isSame(planned.find(type), found.find(type)));
    }

    private static boolean isSame(Optional<byte[]> planned, Optional<byte[]> found) {
        if (planned.isEmpty()) {
            return found.isEmpty() || isZero(found.get());
        }
        return found.isPresent() && (Arrays.equals(planned.get(), found.get()) || covers(planned.get(), found.get()));
    }

    /// True if both are lists of attributes, and the second has those of the first with the same values, in their order
    /// where several have one type. What it has beside them says nothing: it is zero.
    private static boolean covers(byte[] planned, byte[] found) {
        Optional<List<Attribute>> wanted = attributes(planned);
        Optional<List<Attribute>> told = attributes(found);
        return wanted.isPresent() && told.isPresent() && covers(wanted.get(), told.get());
    }

    private static boolean covers(List<Attribute> planned, List<Attribute> found) {
        var left = new ArrayList<>(found);
        for (Attribute one : planned) {
            Optional<Attribute> same =
                    left.stream().filter(other -> other.type() == one.type()).findFirst();
            if (same.isEmpty()
                    || !isSame(Optional.of(one.value()), Optional.of(same.get().value()))) {
                return false;
            }
            left.remove(same.get());
        }
        return left.stream().allMatch(one -> isZero(one.value()));
    }

    /// Returns the attributes if the bytes are some to the last one.
    private static Optional<List<Attribute>> attributes(byte[] bytes) {
        int at = 0;
        while (bytes.length - at >= ATTRIBUTE_HEADER) {
            int length = Short.toUnsignedInt(
                    ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getShort(at));
            if (length < ATTRIBUTE_HEADER || length > bytes.length - at) {
                return Optional.empty();
            }
            at += (length + 3) & ~3;
        }
        return at >= bytes.length && bytes.length > 0
                ? Optional.of(NetlinkAttributes.parse(bytes, 0).all())
                : Optional.empty();
    }

    private static boolean isZero(byte[] bytes) {
        for (byte one : bytes) {
            if (one != 0) {
                return false;
            }
        }
        return true;
    }
}
