package io.holdfast.broker.cluster.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class ForwardRequestTest {
  private static ForwardRequest publish(String topic, int count, int length) {
    ByteBuffer section = ByteBuffer.allocate(6).putInt(length).put((byte) 1).put((byte) 2).flip();
    return new ForwardRequest(false, 2, 7, 3, 4, 5, 6, 1000, count, topic, section);
  }

  @Test
  void shouldReadWhatItWrote() {
    ForwardRequest request = publish("t", 1, 2);
    assertEquals(request, ForwardRequest.read(request.write()));
    ForwardRequest close = ForwardRequest.close(1, 2, 3, 4);
    assertEquals(close, ForwardRequest.read(close.write()));
    ForwardAnswer answer = ForwardAnswer.refused("disk is nearly full");
    assertEquals(answer, ForwardAnswer.read(answer.write()));
    assertEquals(ForwardAnswer.closed(9), ForwardAnswer.read(ForwardAnswer.closed(9).write()));
  }

  @Test
  void shouldRefuseWhatIsNoPublish() {
    refused(publish("t", 2, 2).write());
    refused(publish("t", 0, 2).write());
    refused(publish("t", 1, 1).write());
    refused(publish("t", 1, -1).write());
    refused(publish("t", 1, Integer.MAX_VALUE).write());
    refused(publish("no topic", 1, 2).write());
    refused(publish("", 1, 2).write());
    refused(publish("t", 1, 2).write().setByte(0, 2));
    refused(publish("t", 1, 2).write().setByte(1, 3));
    ByteBuf whole = publish("t", 1, 2).write();
    for (int bytes = 0; bytes < whole.readableBytes(); bytes++) {
      refused(whole.slice(0, bytes));
    }
  }

  private static void refused(ByteBuf bytes) {
    assertThrows(IllegalArgumentException.class, () -> ForwardRequest.read(bytes));
  }

  @Test
  void shouldTakeWhatIsNoAnswerForNone() {
    assertEquals(ForwardAnswer.lost(), ForwardAnswer.read(Unpooled.buffer().writeByte(0)));
    assertEquals(ForwardAnswer.lost(), ForwardAnswer.read(ForwardAnswer.lost().write()));
    assertEquals(
        ForwardAnswer.lost(), ForwardAnswer.read(ForwardAnswer.stored().write().setByte(0, 200)));
  }
}
