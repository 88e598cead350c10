package io.holdfast.broker.cluster.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.alipay.sofa.jraft.util.ByteBufferCollector;
import com.alipay.sofa.jraft.util.Utils;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the engine's classes are told before they are loaded. */
class JraftLinkTest {
  private static final int REQUEST_BYTES = 512 << 10;

  @BeforeAll
  static void load() throws ClassNotFoundException {
    Class.forName(JraftLink.class.getName());
  }

  /**
   * A broker of 256 MB ended with an OutOfMemoryError after seconds of MPUBs: 600 buffers that were
   * used before, in queues that nobody read.
   */
  @Test
  void shouldKeepNoBuffersThatWereUsed() {
    ByteBufferCollector used = ByteBufferCollector.allocateByRecyclers(REQUEST_BYTES);
    assertFalse(used.recycle());
  }

  @Test
  void shouldReadSnapshotsInLargePieces() {
    assertEquals(REQUEST_BYTES, Utils.RAFT_DATA_BUF_SIZE);
  }
}
