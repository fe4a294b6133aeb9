import { conceptsOf } from './concept.js';

/** What music is used for, and where it is heard. */
export const scenes = conceptsOf('scene', [
  ['background', 'background music', '背景音乐', ['background']],
  ['theme-intro', 'theme or intro', '主题曲与片头', ['theme music']],
  ['jingle-advert', 'jingle or advertisement', '广告与短曲', ['jingle (music)', 'advertising', 'commercial']],
  ['film', 'film', '电影', ['movie']],
  ['game', 'video game', '电子游戏', ['video game music', 'game']],
  ['children', 'for children', '儿童', ['music for children']],
  ['christmas-holiday', 'Christmas and holidays', '圣诞与节日', ['christmas music', 'christmas', 'holiday']],
  ['party-dance', 'party and dancing', '派对与跳舞'],
  ['wedding', 'wedding', '婚礼', ['wedding music']],
  ['sleep-lullaby', 'sleep and lullaby', '助眠与摇篮曲', ['lullaby']],
  ['meditation-relax', 'meditation and relaxation', '冥想与放松'],
  ['sport-workout', 'sport and workout', '运动与健身', ['sport']],
  ['travel-nature', 'travel and nature', '旅行与自然', ['travel', 'nature', 'summer']],
  ['corporate-documentary', 'corporate and documentary', '企业与纪录片', ['corporate', 'documentary']],
  ['trailer-action', 'trailer and action', '预告片与动作', ['trailer', 'action', 'adventure']],
  ['live-concert', 'live concert', '现场演出', ['applause', 'cheering', 'crowd']],
  ['under-speech', 'under speech', '语音衬底', ['narration, monologue']],
]);
