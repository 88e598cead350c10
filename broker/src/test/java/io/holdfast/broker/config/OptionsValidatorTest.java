package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OptionsValidatorTest {
  @TempDir Path dir;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--node-id=1024 | bad value \"1024\" for --node-id: accepted is a whole number, 0 to 1023",
        "--node-id=-1 | bad value \"-1\" for --node-id: accepted is a whole number, 0 to 1023",
        "--max-deflate-level=0 | bad value \"0\" for --max-deflate-level: accepted is a whole"
            + " number, 1 to 9",
        "--max-deflate-level=10 | bad value \"10\" for --max-deflate-level: accepted is a whole"
            + " number, 1 to 9",
        "--auth-http-request-method=GET | bad value \"GET\" for --auth-http-request-method:"
            + " accepted is get or post",
        "--msg-timeout=-1s | bad value \"-1s\" for --msg-timeout: accepted is a duration such as"
            + " 250ms, 1.5s or 1h30m, 1ms or more",
        "--tcp-address=0.0.0.0:99999 | bad value \"0.0.0.0:99999\" for --tcp-address: accepted is"
            + " host:port with a port of 0 to 65535, or the path of a unix socket",
        "--data-path=/no/such/dir | bad value \"/no/such/dir\" for --data-path: the directory does"
            + " not exist; create it first",
        "--data-path=/dev/null | bad value \"/dev/null\" for --data-path: not a directory",
        "--tls-cert=/no/cert | bad value \"/no/cert\" for --tls-cert: accepted is a PEM file that"
            + " exists and can be read",
        "--tls-required | tls-required=true needs tls-cert and tls-key",
        "--tls-required=tcp-https | tls-required=tcp-https needs tls-cert and tls-key",
        "--tls-client-auth-policy=require | tls-client-auth-policy=\"require\" needs tls-cert and"
            + " tls-key",
      })
  void shouldFailWithExitCode1AndNameWhatIsAccepted(String flag, String message) {
    assertEquals(new Parsed.Fail("holdfast: " + message, 1), OptionsLoader.parse(flag));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--tcp-address=",
        "--https-address=path",
        "--statsd-address=host",
        "--lookupd-tcp-address=",
        "--lookupd-tcp-address=host",
        "--auth-http-address=",
        "--broadcast-tcp-port=65536",
        "--broadcast-http-port=-1",
        "--mem-queue-size=-1",
        "--sync-timeout=0",
        "--max-msg-size=0",
        "--max-body-size=4",
        "--max-msg-size=65MiB",
        "--max-rdy-count=0",
        "--max-channel-consumers=-1",
        "--statsd-interval=9ms",
        "--e2e-processing-latency-percentile=0",
        "--e2e-processing-latency-percentile=1.01",
        "--max-topics=0",
        "--max-channels=0",
        "--max-deferred=0",
        "--max-output-bytes=1",
        "--event-loop-threads=-1",
        "--idle-close=0",
        "--retention=-1s",
        "--mem-queue-bytes=-1",
        "--disk-free-limit=-1",
        "--max-disk-bytes=-1",
        "--max-connections=-1"
      })
  void shouldRefuseWhatIsOutOfBounds(String flag) {
    Parsed.Fail fail = Loading.fail(flag);
    assertEquals(1, fail.exitCode(), fail.message());
    String name = flag.substring(0, flag.indexOf('='));
    assertTrue(fail.message().contains(" for " + name + ": accepted is "), fail.message());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--node-id=0",
        "--node-id=1023",
        "--max-bytes-per-file=1MiB",
        "--max-bytes-per-file=1GiB",
        "--mem-queue-size=0",
        "--e2e-processing-latency-percentile=1",
        "--tcp-address=nsqd.sock",
        "--http-address=/tmp/h.sock",
        "--https-address=",
        "--auth-http-address=https://a/b?c",
        "--auth-http-address=example.com",
        "--max-deflate-level=9",
        "--tls-client-auth-policy="
      })
  void shouldAcceptBounds(String flag) {
    Loading.run(flag);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "max_bytes_per_file = 1000 | 1048576",
        "max_bytes_per_file = 0 | 1048576",
        "max_bytes_per_file = -1 | 1048576",
        "max_bytes_per_file = 10737418240 | 1073741824",
        "sync_every = 0 | 1",
        "statsd_udp_packet_size = 70000 | 65507",
        "max_output_buffer_size = 0 | 1",
        "http_client_connect_timeout = 0 | 2s",
        "http_client_request_timeout = \"0s\" | 5s",
      })
  void shouldStartWithWhatNsqdStartsWithAndSayWhatIsUsed(String line, String used) {
    String key = line.substring(0, line.indexOf(' '));
    Parsed parsed = Loading.file(dir, "# one\n" + line + "\n");
    Options options = assertInstanceOf(Parsed.Run.class, parsed).options();
    assertEquals(1, options.ineffective().size(), options.ineffective()::toString);
    String said = options.ineffective().get(0);
    assertTrue(said.startsWith(dir.resolve("nsqd.cfg") + ":2: bad value "), said);
    assertTrue(said.contains(" for " + key + ": using " + used + ", accepted is "), said);
    String flag = line.replace(" = ", "=").replace('_', '-').replace("\"", "");
    assertEquals(options, Loading.run("--" + flag));
  }

  @Test
  void shouldWantCertificateAndKeyTogether() throws IOException {
    Path pem = Files.writeString(dir.resolve("x.pem"), "");
    assertEquals(
        new Parsed.Fail("holdfast: tls-cert is set and tls-key is not: TLS needs both", 1),
        OptionsLoader.parse("--tls-cert=" + pem));
    assertEquals(
        new Parsed.Fail("holdfast: tls-key is set and tls-cert is not: TLS needs both", 1),
        OptionsLoader.parse("--tls-key=" + pem));
    Options options = Loading.run("--tls-cert=" + pem, "--tls-key=" + pem, "--tls-required");
    assertEquals(TlsRequired.TRUE, options.tlsRequired());
  }

  @Test
  void shouldRequireTlsOnceAClientAuthPolicyIsSet() throws IOException {
    Path pem = Files.writeString(dir.resolve("x.pem"), "");
    String[] args = {
      "--tls-cert=" + pem, "--tls-key=" + pem, "--tls-client-auth-policy=require", ""
    };
    args[3] = "--tls-required=false";
    assertEquals(TlsRequired.TRUE, Loading.run(args).tlsRequired());
    assertEquals(2, Loading.run(args).configValue("tls_required"));
    args[3] = "--tls-required=tcp-https";
    assertEquals(TlsRequired.TCP_HTTPS, Loading.run(args).tlsRequired());
  }
}
