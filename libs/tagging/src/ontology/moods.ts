import { conceptsOf } from './concept.js';

/** How music feels. */
export const moods = conceptsOf('mood', [
  ['happy', 'happy', '欢快', ['happy music', 'positive', 'upbeat'], ['happy', '欢快的']],
  ['sad', 'sad', '悲伤', ['sad music', 'melancholic'], ['sad', '悲伤的']],
  [
    'tender-romantic',
    'tender and romantic',
    '温柔浪漫',
    ['tender music', 'beautiful', 'romantic', 'ballad'],
    ['tender', '温柔的'],
  ],
  [
    'exciting-energetic',
    'exciting and energetic',
    '激动有力',
    ['exciting music', 'energetic', 'fast', 'powerful'],
    ['energetic', '充满活力的'],
  ],
  ['angry-aggressive', 'angry and aggressive', '愤怒激烈', ['angry music'], ['aggressive', '激烈的']],
  ['scary-dark', 'scary and dark', '恐怖阴暗', ['scary music', 'dark'], ['dark', '阴暗的']],
  ['funny', 'funny', '滑稽', ['funny music', 'fun'], ['funny', '滑稽的']],
  [
    'relaxing-calm',
    'relaxing and calm',
    '放松平静',
    ['relaxing', 'calm', 'mellow', 'slow', 'soft'],
    ['calm', '平静的'],
  ],
  ['emotional', 'emotional', '动情', [], ['emotional', '动情的']],
  ['epic', 'epic', '史诗', [], ['epic', '史诗般的']],
  ['dramatic', 'dramatic', '戏剧性', [], ['tense', '紧张的']],
  ['dreamy', 'dreamy', '梦幻', ['dream'], ['dreamy', '梦幻的']],
  ['mysterious-space', 'mysterious', '神秘空灵', ['deep'], ['mysterious', '神秘的']],
  [
    'inspiring-hopeful',
    'inspiring and hopeful',
    '鼓舞希望',
    ['inspiring', 'uplifting', 'hopeful'],
    ['hopeful', '充满希望的'],
  ],
  ['sexy', 'sexy', '性感', [], ['sexy', '性感的']],
  ['cool-groovy', 'cool and groovy', '酷与律动', ['cool'], ['groovy', '律动的']],
  ['catchy-party', 'catchy and party', '上口热闹', ['catchy'], ['catchy', '热闹的']],
  ['melodic', 'melodic', '旋律优美', [], ['melodic', '旋律优美的']],
  ['meditative', 'meditative', '沉思', [], ['meditative', '沉思的']],
  ['retro', 'retro', '复古', ['oldies', '60s', '70s', '80s'], ['retro', '复古的']],
]);
