package dev.caisson.network.nft;

import dev.caisson.linux.NetlinkSocket;
import dev.caisson.linux.NetlinkWriter;
import java.util.List;

/// Changes to nftables that are made all at once or not at all.
public final class Batch {
    /// Families of tables.
    public enum Family {
        INET(1),
        IPV4(2),
        BRIDGE(7),
        IPV6(10);

        private final int number;

        Family(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    /// A place in the kernel where packets pass a chain, with the kernel's numbers for the order.
    public enum Hook {
        PREROUTING(0),
        INPUT(1),
        FORWARD(2),
        OUTPUT(3),
        POSTROUTING(4);

        private final int number;

        Hook(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    private static final int BATCH_BEGIN = 0x10;
    private static final int BATCH_END = 0x11;
    private static final int NFTABLES = 10;
    static final int SUBSYSTEM = NFTABLES << 8;
    private static final int NEW_TABLE = 0;
    private static final int DELETE_TABLE = 2;
    private static final int NEW_CHAIN = 3;
    private static final int NEW_RULE = 6;
    private static final int DELETE_RULE = 8;
    private static final int NEW_SET = 9;
    private static final int NEW_ELEMENTS = 12;
    private static final int DELETE_ELEMENTS = 14;
    private static final int DESTROY_ELEMENTS = 30;
    private static final int NEW_OBJECT = 18;
    /// The kind of objects that say for how long connections are kept.
    static final int TIMEOUTS = 7;
    private static final int TIME_WAIT = 7;
    private static final int CLOSE = 8;
    private static final int TCP = 6;
    private static final int LIST_ELEMENT = 1;
    private static final int OWNER = 2;
    /// Elements of one message are one attribute, whose length has 16 bits.
    private static final int LONGEST_LIST = 60_000;

    private final NetlinkWriter out = new NetlinkWriter();
    private int sets;

    public Batch() {
        begin(BATCH_BEGIN, NetlinkWriter.REQUEST, 0, NFTABLES);
        out.end();
    }

    private NetlinkWriter begin(int type, int flags, int family, int resource) {
        return out.message(type, flags).u8(family).u8(0).u8(resource >> 8).u8(resource);
    }

    private NetlinkWriter begin(int type, int flags, Family family) {
        return begin(SUBSYSTEM | type, NetlinkWriter.REQUEST | flags, family.number(), 0);
    }

    /// Makes a table, if it is not there.
    public Batch table(Family family, String name) {
        begin(NEW_TABLE, NetlinkWriter.CREATE, family).string(1, name).end();
        return this;
    }

    /// Makes a table with a comment, which stands for what is in it.
    public Batch table(Family family, String name, String comment) {
        begin(NEW_TABLE, NetlinkWriter.CREATE, family)
                .string(1, name)
                .put(6, TableQueries.commentData(comment))
                .end();
        return this;
    }

    /// Makes a table that belongs to the socket by which it is made: nobody else changes or removes it, also not by
    /// `nft flush ruleset`, and it goes when that is closed. Linux 5.12.
    public Batch ownTable(Family family, String name) {
        begin(NEW_TABLE, NetlinkWriter.CREATE, family)
                .string(1, name)
                .big32(2, OWNER)
                .end();
        return this;
    }

    public Batch deleteTable(Family family, String name) {
        begin(DELETE_TABLE, 0, family).string(1, name).end();
        return this;
    }

    /// Makes a chain that rules jump to.
    public Batch chain(Family family, String table, String name) {
        begin(NEW_CHAIN, NetlinkWriter.CREATE, family)
                .string(1, table)
                .string(3, name)
                .end();
        return this;
    }

    /// Makes a chain that packets pass at a hook; what no rule decides is accepted.
    ///
    /// @param type `filter` or `nat`
    public Batch chain(Family family, String table, String name, String type, Hook hook, int priority) {
        begin(NEW_CHAIN, NetlinkWriter.CREATE, family)
                .string(1, table)
                .string(3, name)
                .nested(4)
                .big32(1, hook.number)
                .big32(2, priority)
                .end()
                .big32(5, 1)
                .string(7, type)
                .end();
        return this;
    }

    /// Adds a rule behind the others of a chain.
    public Batch rule(Family family, String table, String chain, List<Expression> expressions) {
        begin(NEW_RULE, NetlinkWriter.CREATE | NetlinkWriter.APPEND, family)
                .string(1, table)
                .string(2, chain)
                .nested(4);
        expressions.forEach(one -> one.write(out, LIST_ELEMENT));
        out.end().end();
        return this;
    }

    /// Removes all rules of a chain.
    public Batch flush(Family family, String table, String chain) {
        begin(DELETE_RULE, 0, family).string(1, table).string(2, chain).end();
        return this;
    }

    /// Makes what [Expressions#timeouts] names: for how many seconds the kernel keeps a connection of TCP that is
    /// closed, in place of 120 by default, or 10 if it was broken off. One object serves both families.
    public Batch closed(Family family, String table, String name, int seconds) {
        begin(NEW_OBJECT, NetlinkWriter.CREATE, family)
                .string(1, table)
                .string(2, name)
                .big32(3, TIMEOUTS)
                .nested(4)
                .big16(1, Family.IPV4.number)
                .int8(2, TCP)
                .nested(3)
                .big32(TIME_WAIT, seconds)
                .big32(CLOSE, seconds)
                .end()
                .end()
                .end();
        return this;
    }

    /// Makes a set or a map.
    public Batch set(Family family, String table, SetForm form) {
        begin(NEW_SET, NetlinkWriter.CREATE, family).string(1, table);
        form.write(out, ++sets);
        out.end();
        return this;
    }

    /// Adds elements. One that is there already stays as it is.
    public Batch add(Family family, String table, SetForm form, List<SetElement> elements) {
        return elements(NEW_ELEMENTS, NetlinkWriter.CREATE, family, table, form, elements);
    }

    /// Removes elements, each of which is there.
    public Batch remove(Family family, String table, SetForm form, List<SetElement> elements) {
        return elements(DELETE_ELEMENTS, 0, family, table, form, elements);
    }

    /// Removes elements of which some may not be there; Linux 6.3.
    public Batch removeIfThere(Family family, String table, SetForm form, List<SetElement> elements) {
        return elements(DESTROY_ELEMENTS, 0, family, table, form, elements);
    }

    /// Removes all elements of a set.
    public Batch clear(Family family, String table, SetForm form) {
        begin(DELETE_ELEMENTS, 0, family)
                .string(1, table)
                .string(2, form.name())
                .end();
        return this;
    }

    private Batch elements(int type, int flags, Family family, String table, SetForm form, List<SetElement> elements) {
        int done = 0;
        while (done < elements.size()) {
            begin(type, flags, family).string(1, table).string(2, form.name()).nested(3);
            int start = out.size();
            do {
                elements.get(done++).write(out, LIST_ELEMENT);
            } while (done < elements.size() && out.size() - start < LONGEST_LIST);
            out.end().end();
        }
        return this;
    }

    /// True if nothing is to be changed.
    public boolean isEmpty() {
        return out.messages() == 1;
    }

    /// Returns the messages, the last of which asks for an acknowledgement. Nothing can be added behind that.
    public byte[] toBytes() {
        return ended().toBytes();
    }

    /// Carries it out.
    /// @param call what is asked for, for errors
    /// @throws dev.caisson.linux.NetlinkException if the kernel refuses a part, and then has changed nothing
    public void commit(NetlinkSocket socket, String call) {
        if (!isEmpty()) {
            socket.commit(call, ended());
        }
    }

    private NetlinkWriter ended() {
        out.flagLast(NetlinkWriter.ACK);
        begin(BATCH_END, NetlinkWriter.REQUEST, 0, NFTABLES);
        return out.end();
    }
}
