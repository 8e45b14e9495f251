# Drives Perl's Mail::IMAPClient against a host; arguments: port, user,
# password, CA file.  "ok NAME" or "not ok NAME: why" for each step.
use strict;
use warnings;
use Mail::IMAPClient;

my ($port, $user, $pass, $ca) = @ARGV;
my $bad = 0;

sub check {
    my ($name, $true, $why) = @_;
    $bad++ unless $true;
    print $true ? "ok $name\n" : "not ok $name: " . ($why // "?") . "\n";
}

my $c = Mail::IMAPClient->new(
    Server => "127.0.0.1", Port => $port, User => $user, Password => $pass,
    Ssl => [ SSL_ca_file => $ca, SSL_verifycn_scheme => "none" ],
    Uid => 1, Peek => 1, Timeout => 30, Keepalive => 1)
    or die "connect: $@\n";
check("login", $c->IsAuthenticated, $c->LastError);
check("capability", $c->has_capability("UIDPLUS") && $c->imap4rev1);

check("create", $c->create("Perl/deep"), $c->LastError);
check("folders", (grep { $_ eq "Perl/deep" } $c->folders) == 1,
    join ",", $c->folders);
check("subscribe", $c->subscribe("Perl/deep"));
check("subscribed", (grep { $_ eq "Perl/deep" } $c->subscribed) == 1);
check("exists", $c->exists("Perl/deep") && !$c->exists("Nothing"));

my $text = "From: a\@posthof.test\r\nTo: b\@posthof.test\r\n" .
    "Subject: perl %d\r\nDate: Mon, 05 Feb 2024 12:00:00 +0100\r\n" .
    "Message-ID: <perl%d\@posthof.test>\r\n\r\nText %d\r\n";
my @uids = map { $c->append_string("Perl/deep", sprintf($text, $_, $_, $_),
    '\Flagged', "05-Feb-2024 12:0$_:00 +0100") } 1 .. 4;
check("append", @uids == 4 && !(grep { !defined } @uids), $c->LastError);
check("message_count", $c->message_count("Perl/deep") == 4);

check("select", $c->select("Perl/deep"), $c->LastError);
check("messages", join(",", $c->messages) eq join(",", @uids));
check("uidnext", $c->uidnext("Perl/deep") > $uids[3]);
check("message_string",
    $c->message_string($uids[0]) eq sprintf($text, 1, 1, 1));
check("body_string", $c->body_string($uids[1]) eq "Text 2\r\n");
check("size", $c->size($uids[0]) == length sprintf($text, 1, 1, 1));
check("subject", $c->subject($uids[2]) eq "perl 3");
my $d = $c->internaldate($uids[0]) // "undef";
check("date", $d =~ /5-Feb-2024 12:01:00 \+0100/, $d);
my $heads = $c->parse_headers([@uids], "Subject", "Message-ID");
check("parse_headers", $heads->{ $uids[3] }{Subject}[0] eq "perl 4");
my $envelope = $c->get_envelope($uids[0]);
check("envelope", ref $envelope ne "" && $envelope->subject eq "perl 1",
    $c->LastError) if eval { require Parse::RecDescent; 1 };

check("see", $c->see(@uids[0, 1]));
check("seen", join(",", $c->seen) eq "$uids[0],$uids[1]",
    join ",", $c->seen);
check("unseen_count", $c->unseen_count("Perl/deep") == 2);
check("set_flag", $c->set_flag("Work", $uids[2]));
check("flags", (grep { $_ eq "Work" } $c->flags($uids[2])) == 1);
check("search", join(",", $c->search("KEYWORD", "Work")) eq $uids[2]);
check("search text", join(",", $c->search("SUBJECT", "perl 2")) eq $uids[1]);
check("sort", join(",", $c->sort("REVERSE SUBJECT", "UTF-8", "ALL")) eq
    join(",", reverse @uids), $c->LastError);
my $threads = $c->thread("REFERENCES", "UTF-8", "ALL");
check("thread", ref $threads eq "ARRAY" && @$threads == 4, $c->LastError)
    if eval { require Parse::RecDescent; 1 };

check("copy", $c->copy("INBOX", $uids[0]), $c->LastError);
check("move", $c->move("INBOX", $uids[1]), $c->LastError);
check("expunge", $c->expunge);
check("after move", join(",", $c->messages) eq
    join(",", @uids[0, 2, 3]), join ",", $c->messages);
check("delete_message", $c->delete_message($uids[0]) == 1);
check("uidexpunge", $c->uidexpunge($uids[0]), $c->LastError);
check("status", $c->status("INBOX", "MESSAGES"));
check("idle", defined(my $tag = $c->idle));
check("done", $c->done($tag));
check("namespace", ref $c->namespace eq "ARRAY");
check("close", $c->close);
check("rename", $c->rename("Perl/deep", "Perl/other"), $c->LastError);
check("delete", $c->delete("Perl/other") && $c->delete("Perl"));
check("logout", $c->logout);
exit($bad != 0);
