package io.holdfast.broker.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GzipTest {
  private static ApiRequest accepting(String acceptEncoding) {
    HttpHeaders headers = new DefaultHttpHeaders();
    if (acceptEncoding != null) {
      headers.set("Accept-Encoding", acceptEncoding);
    }
    return new ApiRequest("GET", "/", null, Set.of(), "", null, false, headers, Peer.NONE);
  }

  private static HttpReply text(int length) {
    return HttpReply.text("a".repeat(length));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {
        "none | none",
        "identity | none",
        "gzip | gzip",
        "deflate, GZIP;q=0.5 | gzip",
        "gzip;q=0 | none",
        "* | none",
      })
  void isForWhoNamesIt(String acceptEncoding, String expected) {
    HttpReply reply = Gzip.ifLarge(accepting(acceptEncoding), text(Gzip.LARGE_BYTES));
    assertEquals(expected, reply.headers().get("Content-Encoding"));
    assertEquals("Accept-Encoding", reply.headers().get("Vary"));
  }

  @Test
  void shouldBeTheSameText() throws IOException {
    HttpReply plain = text(1_000_000).with("Vary", "Accept");
    HttpReply packed = Gzip.ifLarge(accepting("gzip"), plain);
    assertEquals("Accept, Accept-Encoding", packed.headers().get("Vary"));
    assertEquals(plain.contentType(), packed.contentType());
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed.body()))) {
      assertArrayEquals(plain.body(), in.readAllBytes());
    }
    assertSame(packed, Gzip.ifLarge(accepting("gzip"), packed));
  }

  @Test
  void shouldLeaveSmallAnswersAndOtherKinds() {
    HttpReply small = text(Gzip.LARGE_BYTES - 1);
    assertSame(small, Gzip.ifLarge(accepting("gzip"), small));
    HttpReply recording = HttpReply.bytes("application/octet-stream", new byte[Gzip.LARGE_BYTES]);
    assertSame(recording, Gzip.ifLarge(accepting("gzip"), recording));
    HttpReply empty = HttpReply.empty();
    assertSame(empty, Gzip.ifLarge(accepting("gzip"), empty));
  }
}
