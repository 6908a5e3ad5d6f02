package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.AddressText;
import dev.caisson.text.Quoted;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.regex.Pattern;

/// A range of IP addresses that share their first bits, in the notation of CIDR, RFC 4632.
///
/// @param base the first address: the bits behind the prefix are zero
/// @param prefix how many bits are shared
public record Subnet(InetAddress base, int prefix) {
    private static final Pattern NUMBER = Pattern.compile("0|[1-9]\\d{0,2}");

    public Subnet {
        int bits = present(base, "base").getAddress().length * 8;
        if (prefix < 0 || prefix > bits) {
            throw ArgumentException.invalid("prefix /" + prefix + " is not between /0 and /" + bits);
        }
        if (!masked(base, prefix).equals(base)) {
            throw ArgumentException.invalid("subnet " + AddressText.of(base) + "/" + prefix
                    + " has bits behind its prefix: write " + AddressText.of(masked(base, prefix)) + "/" + prefix);
        }
    }

    /// Reads `172.20.0.0/16` or `fd00:20::/64`.
    public static Subnet parse(String text) {
        int slash = present(text, "text").indexOf('/');
        if (slash < 0 || !NUMBER.matcher(text.substring(slash + 1)).matches()) {
            throw malformed(text);
        }
        InetAddress base = AddressText.parse(text.substring(0, slash)).orElseThrow(() -> malformed(text));
        return new Subnet(base, Integer.parseInt(text.substring(slash + 1)));
    }

    /// Returns the subnet of `prefix` bits that an address lies in.
    public static Subnet around(InetAddress address, int prefix) {
        return new Subnet(masked(present(address, "address"), prefix), prefix);
    }

    private static ArgumentException malformed(String text) {
        return ArgumentException.invalid(Quoted.of(text)
                + " is not a subnet: write an address and a prefix, such as 172.20.0.0/16 or fd00:20::/64");
    }

    public boolean isIpv6() {
        return bytes() == 16;
    }

    public boolean contains(InetAddress address) {
        return present(address, "address").getAddress().length == bytes()
                && masked(address, prefix).equals(base);
    }

    /// True if every address of `other` is one of this.
    public boolean contains(Subnet other) {
        return present(other, "other").prefix >= prefix && contains(other.base);
    }

    public boolean overlaps(Subnet other) {
        return contains(other) || other.contains(this);
    }

    /// Returns how many addresses it has.
    public BigInteger size() {
        return BigInteger.ONE.shiftLeft(bytes() * 8 - prefix);
    }

    /// Returns the address at `index`, 0 for the first.
    public InetAddress address(BigInteger index) {
        if (present(index, "index").signum() < 0 || index.compareTo(size()) >= 0) {
            throw ArgumentException.invalid("subnet " + this + " has no address of number " + index);
        }
        return of(number(base).add(index), bytes());
    }

    public InetAddress last() {
        return address(size().subtract(BigInteger.ONE));
    }

    /// Returns the number of an address in it.
    public BigInteger index(InetAddress address) {
        if (!contains(address)) {
            throw ArgumentException.invalid(AddressText.of(address) + " is not an address of " + this);
        }
        return number(address).subtract(number(base));
    }

    private int bytes() {
        return base.getAddress().length;
    }

    private static BigInteger number(InetAddress address) {
        return new BigInteger(1, address.getAddress());
    }

    private static InetAddress masked(InetAddress address, int prefix) {
        byte[] bytes = address.getAddress();
        for (int i = 0; i < bytes.length; i++) {
            int kept = Math.clamp(prefix - 8L * i, 0, 8);
            bytes[i] = (byte) (bytes[i] & 0xff00 >> kept);
        }
        return of(new BigInteger(1, bytes), bytes.length);
    }

    private static InetAddress of(BigInteger number, int length) {
        byte[] bytes = number.toByteArray();
        byte[] address = new byte[length];
        int count = Math.min(bytes.length, length);
        System.arraycopy(bytes, bytes.length - count, address, length - count, count);
        try {
            return InetAddress.getByAddress(address);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an address: " + Arrays.toString(address), e);
        }
    }

    @Override
    public String toString() {
        return AddressText.of(base) + "/" + prefix;
    }
}
