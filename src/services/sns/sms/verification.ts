// The text that brings a verification code to a number of the sandbox, and how long the code is one.
import type { Random } from '../../../base/random.ts'

export const CODE_LIFE_MS = 15 * 60 * 1000
/** Wrong codes before the right one is taken no more. */
export const WRONG_CODES_MAX = 5
const CODE_DIGITS = 6

const TEXTS: Readonly<Record<string, string>> = {
  'en-US': 'Your verification code is: ',
  'en-GB': 'Your verification code is: ',
  'es-419': 'Tu código de verificación es: ',
  'es-ES': 'Tu código de verificación es: ',
  'de-DE': 'Ihr Bestätigungscode lautet: ',
  'fr-CA': 'Votre code de vérification est : ',
  'fr-FR': 'Votre code de vérification est : ',
  'it-IT': 'Il tuo codice di verifica è: ',
  'ja-JP': '確認コード: ',
  'pt-BR': 'Seu código de verificação é: ',
  'kr-KR': '인증 코드: ',
  'zh-CN': '您的验证码是：',
  'zh-TW': '您的驗證碼是：',
}

export const LANGUAGES: readonly string[] = Object.keys(TEXTS)
export const LANGUAGE_DEFAULT = 'en-US'

export function verificationText(language: string, code: string): string {
  return `${TEXTS[language] ?? ''}${code}`
}

/** Six decimal digits, each as likely as any other. */
export function createCode(random: Random): string {
  let code = ''
  while (code.length < CODE_DIGITS)
    for (const byte of random.bytes(CODE_DIGITS)) if (byte < 250 && code.length < CODE_DIGITS) code += String(byte % 10)
  return code
}
