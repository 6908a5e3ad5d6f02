package dev.caisson.selftest;

/// Programs of attackers on networks and of those beside them, as those of [Scripts]. [Ground#addressed] fills in
/// SERVER, a name, and GATEWAY, an address.
final class NetworkScripts {
    /// A socket has 32 of them at most.
    static final String FLOW_LABELS = """
            use Socket; my @s;
            my $new = pack "x15CNCCSSSL", 1, 0, 0, 1, 1, 60, 60, 0;
            while ($n < 5000) {
              $n % 32 or socket $s[$n / 32], PF_INET6, SOCK_DGRAM, 0 or stopped($n, $!);
              setsockopt $s[$n / 32], 41, 32, $new or stopped($n, $!); $n++;
            }
            """;

    /// Answers each who connects.
    static final String SERVER = """
            use Socket;
            socket my $l, PF_INET, SOCK_STREAM, 0 or die "socket: $!"; setsockopt $l, SOL_SOCKET, SO_REUSEADDR, 1;
            bind $l, sockaddr_in(7777, INADDR_ANY) or die "bind: $!"; listen $l, 128 or die "listen: $!";
            $SIG{PIPE} = "IGNORE"; while (1) { accept my $a, $l or next; syswrite $a, "served\\n"; close $a }
            """;

    /// Finds the server by its name and is answered. The server may have been started a moment ago.
    static final String NEIGHBOUR = """
            { use Socket; my $got = ""; local $SIG{ALRM} = sub { die "the server does not answer\\n" }; alarm 12;
              my $address = gethostbyname "SERVER" or die "the name of the server is not answered\\n";
              until ($got) {
                socket my $s, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
                connect($s, sockaddr_in(7777, $address)) && sysread($s, $got, 16) or select(undef, undef, undef, 0.05);
              }
              $got eq "served\\n" or die "the server says $got"; alarm 0 }
            """;

    /// The host answers the ping of its container; each identifier is a connection to it.
    static final String CONNECTIONS = """
            use Socket; my $to = sockaddr_in(0, inet_aton("GATEWAY")); my $echo = pack "CCnnn", 8, 0, 0, 0, 1;
            for my $id (1 .. 20000) {
              socket my $s, PF_INET, SOCK_DGRAM, 1 or stopped($n, $!); bind $s, sockaddr_in($id, INADDR_ANY) or next;
              send $s, $echo, 0, $to and $n++;
            }
            stopped($n, "pings to the host");
            """;
    static final String NEIGHBORS = """
            use Socket; my @gateway = split /[.]/, "GATEWAY"; socket my $s, PF_INET, SOCK_DGRAM, 0 or stopped(0, $!);
            for my $third ($gateway[2] .. $gateway[2] + 3) {
              for (2 .. 250) { $n++ if send $s, "x", 0, sockaddr_in(9, inet_aton("$gateway[0].$gateway[1].$third.$_")) }
            }
            stopped($n, "neighbors asked for");
            """;
    static final String UDP_BUFFERS = """
            use Socket; my $bytes = "x" x 15000; my ($out, $in); pipe $in, $out or die "pipe: $!";
            for (1 .. 6) {
              next if fork;
              my @all;
              for (1 .. 900) {
                socket my $s, PF_INET, SOCK_DGRAM, 0 or last; bind $s, sockaddr_in(0, INADDR_LOOPBACK) or last;
                push @all, $s; for (1 .. 16) { send $s, $bytes, 0, getsockname $s or last }
              }
              syswrite $out, scalar(@all) . "\\n"; sleep 20; exit 0;
            }
            for (1 .. 6) { $n += <$in> }
            stopped($n, "sockets filled");
            """;
    static final String QUESTIONS = """
            use Socket; my $to = sockaddr_in(53, inet_aton("127.0.0.11"));
            my $question = pack("n6", 7, 256, 1, 0, 0, 0) . pack("C/a*", "SERVER") . "\\0" . pack("nn", 1, 1);
            for (1 .. 7) { last unless fork }
            socket my $s, PF_INET, SOCK_DGRAM, 0 or die "socket: $!"; send $s, $question, 0, $to while 1;
            """;
    static final String CONNECTS = """
            use Socket; use Fcntl; my $to = sockaddr_in(7777, scalar gethostbyname "SERVER"); my $began = time;
            my ($out, $in); pipe $in, $out or die "pipe: $!";
            for (1 .. 4) {
              next if fork;
              my ($own, @all) = (0);
              while (time - $began < 4) {
                @all = () if @all > 400; socket my $s, PF_INET, SOCK_STREAM, 0 or next;
                fcntl $s, F_SETFL, O_NONBLOCK; connect $s, $to; push @all, $s; $own++;
              }
              syswrite $out, "$own\\n"; exit 0;
            }
            for (1 .. 4) { $n += <$in> }
            stopped($n, "connections begun");
            """;
    static final String PACKETS = """
            use Socket; my $to = sockaddr_in(9, inet_aton("GATEWAY")); my $began = time;
            my ($out, $in); pipe $in, $out or die "pipe: $!";
            for (1 .. 4) {
              next if fork;
              my $own = 0; socket my $s, PF_INET, SOCK_DGRAM, 0 or die "socket: $!";
              while (time - $began < 4) { for (1 .. 1000) { send $s, "x", 0, $to; $own++ } }
              syswrite $out, "$own\\n"; exit 0;
            }
            for (1 .. 4) { $n += <$in> }
            stopped($n, "packets sent");
            """;
    /// Each list of links is read under the lock that who makes a link waits for.
    static final String LISTS = """
            my $list = pack "LSSLLCxSlLL", 32, 18, 0x301, 1, 0, 0, 0, 0, 0, 0; my $began = time;
            my ($out, $in); pipe $in, $out or die "pipe: $!";
            for (1 .. 4) {
              next if fork;
              my ($own, $got) = (0); socket my $s, 16, 3, 0 or die "socket: $!";
              while (time - $began < 4) { syswrite $s, $list; 1 while sysread($s, $got, 65536) && $got !~ /^....\\x03\\0/s; $own++ }
              syswrite $out, "$own\\n"; exit 0;
            }
            for (1 .. 4) { $n += <$in> }
            stopped($n, "lists of links");
            """;
    static final String INTERFACES = """
            socket my $s, 16, 3, 0 or stopped(0, $!); my $kind = pack "SSa8", 9, 1, "dummy";
            my $link = pack("CxSlLL", 0, 0, 0, 0, 0) . pack("SS", 4 + length $kind, 18) . $kind;
            while ($n < 1000) {
              syswrite $s, pack("LSSLL", 16 + length $link, 16, 0x605, $n + 1, 0) . $link; sysread $s, my $got, 4096;
              if (my $error = unpack "x16l", $got) { $! = -$error; stopped($n, $!) } $n++;
            }
            stopped($n, "interfaces");
            """;
    static final String PACKET_SOCKETS = """
            while ($n < 100) { socket my $s, 17, 3, 0 or stopped($n, $!); $n++ } stopped($n, "packet sockets");
            """;

    private NetworkScripts() {}
}
