/** The few functions of libav.js that the VP8 coders call; its own types are not found under the package's `import`. */
declare module "@libav.js/variant-vp8-opus" {
  /** A pointer into the WebAssembly memory. 0: none. */
  type Pointer = number;

  export interface LibAv {
    readonly AV_LOG_QUIET: number;
    readonly AV_PIX_FMT_YUV420P: number;
    readonly AV_PKT_FLAG_KEY: number;
    /** A new view after the memory has grown. */
    readonly HEAPU8: Uint8Array;
    /** The two halves of a 64-bit integer. */
    f64toi64(value: number): [low: number, high: number];
    av_log_set_level_sync(level: number): void;

    /** Throws when the encoder does not open: what was allocated until then is lost. */
    ff_init_encoder_sync(
      name: string,
      options: {
        ctx: Readonly<Record<string, number>>;
        time_base: readonly [number, number];
        options: Readonly<Record<string, string>>;
      },
    ): [codec: Pointer, context: Pointer, frame: Pointer, packet: Pointer, frameSize: number];
    ff_free_encoder_sync(context: Pointer, frame: Pointer, packet: Pointer): void;
    avcodec_send_frame_sync(context: Pointer, frame: Pointer): number;
    avcodec_receive_packet_sync(context: Pointer, packet: Pointer): number;

    ff_init_decoder_sync(name: string): [codec: Pointer, context: Pointer, packet: Pointer, frame: Pointer];
    ff_free_decoder_sync(context: Pointer, packet: Pointer, frame: Pointer): void;
    ff_set_packet_sync(packet: Pointer, data: Uint8Array): void;
    avcodec_send_packet_sync(context: Pointer, packet: Pointer): number;
    avcodec_receive_frame_sync(context: Pointer, frame: Pointer): number;

    av_packet_unref_sync(packet: Pointer): void;
    AVPacket_data_sync(packet: Pointer): Pointer;
    AVPacket_size_sync(packet: Pointer): number;
    AVPacket_flags_sync(packet: Pointer): number;

    av_frame_get_buffer_sync(frame: Pointer, align: number): number;
    av_frame_make_writable_sync(frame: Pointer): number;
    av_frame_unref_sync(frame: Pointer): void;
    AVFrame_data_a_sync(frame: Pointer, plane: number): Pointer;
    AVFrame_linesize_a_sync(frame: Pointer, plane: number): number;
    AVFrame_width_sync(frame: Pointer): number;
    AVFrame_width_s_sync(frame: Pointer, width: number): void;
    AVFrame_height_sync(frame: Pointer): number;
    AVFrame_height_s_sync(frame: Pointer, height: number): void;
    AVFrame_format_sync(frame: Pointer): number;
    AVFrame_format_s_sync(frame: Pointer, format: number): void;
    AVFrame_pict_type_s_sync(frame: Pointer, type: number): void;
    AVFrame_pts_s_sync(frame: Pointer, low: number): void;
    AVFrame_ptshi_s_sync(frame: Pointer, high: number): void;
  }

  const libav: { LibAV(options: { noworker: true; nothreads: true }): Promise<LibAv> };
  export default libav;
}
