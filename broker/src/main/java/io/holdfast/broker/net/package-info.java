/** Listening, addresses, and JSON over HTTP to other programs, as all front ends need them. */
package io.holdfast.broker.net;
